import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../src/core/model/json/json.ts'
import { chatReply, openSpoken, type Speaking, type Spoken, textReply } from './answers/spoken.ts'

const user = { role: 'user', content: 'Hi.' }
const tool = { type: 'function', function: { name: 'f', parameters: { type: 'object' } } }

/** What becomes of a field: sent under these fields, done without telling upstream, left out and told, or refused. */
type Fate = { readonly as: JsonObject } | 'made up for' | 'told' | 'refused'

const asIs = 'as it is'

/** Every field of a text completion beside model, prompt and stream, and the fates it has where it is not sent on. */
const textRows: readonly (readonly [fields: JsonObject, fates: Readonly<Record<string, Fate>>])[] = [
  [{ max_tokens: 0 }, {}],
  [{ max_tokens: 7 }, {}],
  [{ n: 1 }, {}],
  // It asks for nothing.
  [{ best_of: 0 }, madeUpFor('groq')],
  [{ echo: true }, madeUpFor('llamacpp', 'ollama', 'tgi', 'lmstudio', 'groq')],
  [{ echo: true, logprobs: 1 }, refusedBy('llamacpp', 'ollama', 'tgi', 'lmstudio', 'groq')],
  [{ suffix: 'after' }, refusedBy('llamacpp', 'groq', 'together')],
  [{ logprobs: 0 }, refusedBy('ollama', 'groq')],
  [{ logprobs: 5 }, refusedBy('ollama', 'groq')],
  [{ stop: ['a', 'b', 'c', 'd'] }, {}],
  [
    { stop: ['a', 'b', 'c', 'd', 'e'] },
    Object.fromEntries(
      ['openai', 'tgi', 'groq'].map((name) => [name, { as: { stop: ['a', 'b', 'c', 'd'] } }] as const),
    ),
  ],
  [{ temperature: 0 }, {}],
  [{ top_p: 0 }, {}],
  [{ frequency_penalty: -2 }, {}],
  [{ presence_penalty: 2 }, {}],
  [{ logit_bias: { 50256: -100 } }, refusedBy('ollama', 'groq')],
  [{ seed: -9_007_199_254_740_991 }, {}],
  [{ user: 'u' }, {}],
  [{ top_k: 3, min_p: 0.1, guided_json: { a: null } }, {}],
  [{ metadata: { a: 'b' } }, { groq: 'told' }],
]

/** The same for a chat completion. */
const chatRows: typeof textRows = [
  [{ max_tokens: 7 }, {}],
  [
    { max_completion_tokens: 7 },
    { ...as({ max_tokens: 7 }, 'vllm', 'llamacpp', 'ollama', 'tgi', 'lmstudio', 'mistral', 'together', '') },
  ],
  [
    { max_tokens: 9, max_completion_tokens: 7 },
    { ...as({ max_tokens: 7 }, 'vllm', 'llamacpp', 'ollama', 'tgi', 'lmstudio', 'mistral', 'together', '') },
  ],
  [{ tools: [tool], tool_choice: 'auto', parallel_tool_calls: false }, {}],
  [{ tools: [tool], tool_choice: { type: 'function', function: { name: 'f' } } }, {}],
  [{ functions: [{ name: 'f' }], function_call: 'auto' }, {}],
  [{ response_format: { type: 'json_schema', json_schema: { name: 's', schema: {} } } }, {}],
  [{ response_format: { type: 'json_object' } }, {}],
  [
    { logprobs: true, top_logprobs: 2 },
    { ...refusedBy('ollama', 'groq', 'mistral'), ...as({ logprobs: 2 }, 'together') },
  ],
  [{ logprobs: false }, { groq: 'told', mistral: 'told', ...as({}, 'together') }],
  [{ logit_bias: { 1: 2 } }, refusedBy('ollama', 'groq', 'mistral')],
  [{ reasoning_effort: 'low' }, { ...as({ reasoning_effort: 'high' }, 'mistral') }],
  [{ seed: 7 }, { ...as({ random_seed: 7 }, 'mistral') }],
  [{ store: true }, { groq: 'told', mistral: 'told' }],
  [{ user: 'u' }, { mistral: 'told' }],
  [{ service_tier: 'auto' }, { mistral: 'told' }],
  [{ stop: 'a' }, { ...as({ stop: ['a'] }, 'together') }],
  [{ n: 1 }, {}],
  [{ top_k: 3, chat_template_kwargs: { enable_thinking: false } }, {}],
  [{ temperature: 0, top_p: 0.5 }, {}],
  [{ verbosity: 'low', prompt_cache_key: 'k' }, { mistral: 'told' }],
]

const textPlaces = [
  'openai',
  'vllm',
  'llamacpp',
  'ollama',
  'tgi',
  'lmstudio',
  'groq',
  'together',
  undefined,
] as const
const chatPlaces = [...textPlaces, 'mistral'] as const

describe.for([...textPlaces])('a text completion at %s', (place) => {
  test.for(textRows)('%j', async ([fields, fates]) => {
    await using scene = await placeOf(place)
    await hold(
      scene,
      '/completions',
      { prompt: 'Once', ...fields },
      fields,
      fates[place ?? ''] ?? asIs,
      place,
    )
  })
})

describe.for([...chatPlaces])('a chat completion at %s', (place) => {
  test.for(chatRows)('%j', async ([fields, fates]) => {
    await using scene = await placeOf(place)
    await hold(
      scene,
      '/chat/completions',
      { messages: [user], ...fields },
      fields,
      fates[place ?? ''] ?? asIs,
      place,
    )
  })
})

async function placeOf(place: (typeof chatPlaces)[number]): Promise<Spoken> {
  const settings = place === 'together' ? { type: 'together' } : place === undefined ? {} : { preset: place }
  return await openSpoken({ up: { settings, speak } })
}

const speak: Speaking = (_body, path) =>
  path.endsWith('/chat/completions') ? chatReply({ content: 'one' }) : textReply({ text: 'one' })

async function hold(
  scene: Spoken,
  path: '/completions' | '/chat/completions',
  body: JsonObject,
  fields: JsonObject,
  fate: Fate | typeof asIs,
  place: string | undefined,
): Promise<void> {
  const told = await scene.ask(path, body)
  const dropped = told.headers.get('x-pandotate-dropped-params')
  if (fate === 'refused') {
    expect(told.status).toBe(400)
    const { param, message, code } = told.body['error'] as JsonObject
    expect(code).toBe('unsupported_parameter')
    expect(Object.keys(fields)).toContain(param)
    expect(message).toContain(`'${param}'`)
    expect(scene.sent('up')).toEqual([])
    return
  }
  expect(told.status).toBe(200)
  const isCrossed = path === '/completions' && place === 'groq'
  const asked = isCrossed
    ? { messages: [{ role: 'user', content: body['prompt'] }] }
    : path === '/completions'
      ? { prompt: body['prompt'] }
      : { messages: body['messages'] }
  const kept = typeof fate === 'object' ? fate.as : fate === asIs ? fields : {}
  expect(scene.sent('up')).toEqual([{ model: 'm', ...asked, ...kept }])
  if (fate === 'told') for (const field of Object.keys(fields)) expect(dropped).toContain(field)
  // Logprobs that were asked for and are in no answer are named.
  else expect(dropped).toBe((fields['logprobs'] ?? false) === false ? null : 'logprobs')
}

function refusedBy(...names: readonly string[]): Readonly<Record<string, Fate>> {
  return Object.fromEntries(names.map((name) => [name, 'refused'] as const))
}

function madeUpFor(...names: readonly string[]): Readonly<Record<string, Fate>> {
  return Object.fromEntries(names.map((name) => [name, 'made up for'] as const))
}

function as(sent: JsonObject, ...names: readonly string[]): Readonly<Record<string, Fate>> {
  return Object.fromEntries(names.map((name) => [name, { as: sent }] as const))
}
