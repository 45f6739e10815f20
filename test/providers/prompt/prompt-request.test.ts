import { expect, test } from 'vitest'
import type { JsonObject } from '../../../src/core/model/json/json.ts'
import { parseJson } from '../../../src/core/model/json/json.ts'
import { createBodyWriter } from '../../../src/providers/prompt/prompt-format.ts'
import { promptRequest } from '../../../src/providers/prompt/prompt-request.ts'
import { startAttempt } from '../../harness/core/attempt.ts'
import type { CallChange } from '../../harness/core/json-text.ts'
import { call } from '../../harness/core/simulated-call.ts'
import { tools } from '../../harness/tools.ts'
import { failureOf } from '../../harness/wire.ts'

const { detokenizer } = tools
const parts = { provider: 'pandotate', promptFormat: 'auto', bos: false, detokenizer } as const

/** The body is the caller's own, as far as it can be. */
const write = createBodyWriter({ read: () => ({ text: '' }) })

async function request(asked: CallChange, upstreamModel = 'mistral-7b', more: object = {}) {
  const attempt = startAttempt(upstreamModel)
  const made = call({ model: 'mistral-7b', ...asked })
  const prompted = await promptRequest(made, attempt, { ...parts, ...more })
  const { text } = write(made, attempt, prompted, false)
  return {
    ...prompted,
    text,
    body: JSON.parse(text) as JsonObject,
    notes: attempt.notes,
  }
}

const text = (fields: JsonObject) =>
  request({ kind: 'text', body: { model: 'mistral-7b', prompt: 'Hi', ...fields } })

const hello = [{ role: 'user', content: 'Hi' }]
const chat = (fields: JsonObject, more: object = {}, upstreamModel?: string) =>
  request({ kind: 'chat', body: { model: 'mistral-7b', messages: hello, ...fields } }, upstreamModel, more)

const fromSource = (source: string, upstreamModel?: string) =>
  request({ kind: 'text', source, body: parseJson(source) as JsonObject }, upstreamModel)

test("the caller's own bytes go upstream when nothing has to change", async () => {
  const source =
    '{ "model":"mistral-7b","prompt":"Hi", "max_tokens":50,"user":"u","seed":9223372036854775807, "mirostat":2 }'
  expect(await fromSource(source)).toMatchObject({
    text: source,
    maxTokens: 50,
    stop: [],
    echo: '',
    prompt: 'Hi',
  })
})

test('only what has to change is changed in them', async () => {
  const source = '{ "model":"mistral-7b","prompt":[1, 2], "seed":9223372036854775807 }'
  const { text: sent, notes } = await fromSource(source, 'org/mistral')
  expect(sent).toBe('{ "model":"org/mistral","prompt":"<1><2>", "seed":9223372036854775807 }')
  expect(notes.converted).toEqual(['token ids to text (cl100k_base)'])
})

test('digits survive when fields are taken out', async () => {
  const { text: sent } = await fromSource(
    '{"model":"m","prompt":"Hi","stream":false,"seed":9223372036854775807}',
  )
  expect(sent).toBe('{"model":"mistral-7b","prompt":"Hi","seed":9223372036854775807}')
})

const done: readonly (readonly [string, JsonObject])[] = [
  ['a stream', { stream: true, stream_options: { include_usage: true } }],
  ['one choice', { n: 1 }],
  ['the best of one', { best_of: 1 }],
  ['the best of none', { best_of: 0 }],
  ['the best of as many', { n: 2, best_of: 2 }],
  ['an echo', { echo: true }],
  ['no log probabilities', { logprobs: null, top_logprobs: 0 }],
  ['no log probabilities, said outright', { logprobs: false }],
  ['no suffix', { suffix: '' }],
  ['null for a suffix', { suffix: null }],
  ['text for an answer', { response_format: { type: 'text' }, modalities: ['text'] }],
  ['no format', { response_format: null, modalities: null, audio: null, web_search_options: null }],
  ['no tools', { tools: [], functions: null }],
]

test.for(done)('%s is done here, and not sent', async ([, fields]) => {
  for (const made of [await text(fields), await chat(fields)]) {
    for (const field of Object.keys(fields)) expect(made.body).not.toHaveProperty(field)
    expect(made.notes.dropped).toEqual([])
  }
})

const refused: readonly (readonly [param: string, fields: JsonObject])[] = [
  ['suffix', { suffix: 'end' }],
  ['logprobs', { logprobs: 0 }],
  ['logprobs', { logprobs: 5 }],
  ['logprobs', { logprobs: true }],
  ['top_logprobs', { top_logprobs: 2 }],
  ['best_of', { best_of: 2 }],
  ['best_of', { best_of: 3, n: 2 }],
  ['tools', { tools: [{ type: 'function', function: { name: 'f' } }] }],
  ['tools', { tools: [{ type: 'custom' }], tool_choice: 'auto' }],
  ['functions', { functions: [{ name: 'f' }] }],
  ['response_format', { response_format: { type: 'json_object' } }],
  ['response_format', { response_format: { type: 'json_schema', json_schema: {} } }],
  ['modalities', { modalities: ['text', 'audio'], audio: { voice: 'x' } }],
  ['audio', { audio: { voice: 'x' } }],
  ['web_search_options', { web_search_options: {} }],
]

test.for(refused)('%s is refused where it is asked for: %j', async ([param, fields]) => {
  for (const kind of ['text', 'chat'] as const) {
    const failure = await failureOf(kind === 'text' ? text(fields) : chat(fields))
    expect(failure).toMatchObject({
      kind: 'unsupported',
      message: `Unsupported parameter: '${param}' is not supported by pandotate.`,
      param,
      code: 'unsupported_parameter',
      provider: 'pandotate',
    })
  }
})

const dropped: readonly JsonObject[] = [
  { store: true },
  { metadata: { a: 'b' } },
  { service_tier: 'auto' },
  { verbosity: 'low' },
  { prediction: { type: 'content', content: 'x' } },
  { prompt_cache_key: 'k', prompt_cache_retention: '24h', prompt_cache_options: {} },
  { safety_identifier: 'u' },
  { reasoning_effort: 'low' },
  { moderation: {} },
  { parallel_tool_calls: false },
  { tools: [{ type: 'function' }], tool_choice: 'none' },
  { functions: [{ name: 'f' }], function_call: 'none' },
  { audio: { voice: 'x' } },
]

test.for(dropped)('%j changes no answer: it is dropped, and named', async (fields) => {
  for (const { body, notes } of [
    await text({ ...fields, modalities: ['text'] }),
    await chat({ ...fields, modalities: ['text'] }),
  ]) {
    expect(notes.dropped).toEqual(Object.keys(fields))
    for (const field of Object.keys(fields)) expect(body).not.toHaveProperty(field)
  }
})

test('who speaks has no place in a prompt: it is dropped, and named', async () => {
  const messages = [{ role: 'user', name: 'ann', content: 'Hi.' }]
  const { notes } = await chat({ messages })
  expect(notes.dropped).toEqual(['messages[].name'])
})

test('what is null is dropped without a word', async () => {
  const { body, notes } = await text({ store: null, metadata: null })
  expect(body).toEqual({ model: 'mistral-7b', prompt: 'Hi' })
  expect(notes.dropped).toEqual([])
})

test('unknown fields go upstream', async () => {
  const fields = { top_k: 4, guided_json: { a: 1 }, user: 'u', temperature: 0, mirostat: null }
  expect((await text({ ...fields, n: 1 })).body).toEqual({ model: 'mistral-7b', prompt: 'Hi', ...fields })
  expect((await chat(fields)).body).toMatchObject(fields)
})

test('an echo repeats the prompt, token ids as the text they are', async () => {
  expect((await text({ echo: true })).echo).toBe('Hi')
  expect((await text({ echo: false })).echo).toBe('')
  expect((await text({ echo: true, prompt: [7] })).echo).toBe('<7>')
  expect((await chat({ echo: true })).echo).toBe('')
})

test.for([null, 7, {}, ['a', 'b'], [1, 'a'], [[1]]])('%j is no prompt', async (prompt) => {
  expect(await failureOf(text({ prompt }))).toMatchObject({ kind: 'invalid_request', param: 'prompt' })
})

test('an empty prompt is one', async () => {
  expect(await text({ prompt: '' })).toMatchObject({ prompt: '', body: { prompt: '' } })
})

test("messages become a prompt by the model's template, with its stop strings after the caller's", async () => {
  const made = await chat({ stop: ['END', '</s>'], temperature: 0.5 })
  expect(made.body).toEqual({
    model: 'mistral-7b',
    prompt: '[INST] Hi [/INST]',
    stop: ['END', '</s>', '[INST]'],
    temperature: 0.5,
  })
  expect(made).toMatchObject({ kind: 'chat', stop: ['END', '</s>', '[INST]'], beginsWithSpace: true })
  expect(made.notes.converted).toEqual(['messages to prompt (mistral)'])
})

test.for([
  ['auto', 'qwen2.5-7b', 'chatml', '<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n', false],
  ['auto', 'llama-3.1-8b', 'llama3', '<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>', false],
  ['auto', 'nobody-knows', 'raw', 'Hi', false],
  ['llama2', 'mistral-7b', 'llama2', '[INST] Hi [/INST]', true],
] as const)(
  'with the format %s, %s is asked as %s',
  async ([promptFormat, model, family, start, beginsWithSpace]) => {
    const { body, notes, ...made } = await chat({}, { promptFormat }, model)
    expect(body['prompt']).toMatch(new RegExp(`^${RegExp.escape(start)}`))
    expect(notes.converted).toEqual([`messages to prompt (${family})`])
    expect(made.beginsWithSpace).toBe(beginsWithSpace)
  },
)

test('the first token of the family is there when it is asked for', async () => {
  expect((await chat({}, { bos: true })).body['prompt']).toBe('<s>[INST] Hi [/INST]')
})

test('a message that is to be continued is, to the letter', async () => {
  const messages = [...hello, { role: 'assistant', content: 'Well' }]
  expect((await chat({ messages })).beginsWithSpace).toBe(false)
})

test.for([
  [{ max_tokens: 5 }, 5, []],
  [{ max_completion_tokens: 5 }, 5, ['max_completion_tokens to max_tokens']],
  [{ max_completion_tokens: 5, max_tokens: 9 }, 5, ['max_completion_tokens to max_tokens']],
  [{ max_completion_tokens: null, max_tokens: 9 }, 9, []],
  [{ max_tokens: null }, undefined, []],
] as const)('%j bounds the answer', async ([fields, maxTokens, converted]) => {
  const made = await chat(fields)
  expect(made.maxTokens).toBe(maxTokens)
  expect(made.body['max_tokens']).toBe(maxTokens)
  expect(made.body).not.toHaveProperty('max_completion_tokens')
  expect(made.notes.converted).toEqual(['messages to prompt (mistral)', ...converted])
})

test.for([
  [{ role: 'tool', content: 'x', tool_call_id: 'c' }, 'messages[0].role'],
  [{ role: 'assistant', content: null, tool_calls: [{ id: 'c' }] }, 'messages[0].tool_calls'],
  [{ role: 'user', content: [{ type: 'text', text: 'a' }, { type: 'image_url' }] }, 'messages[0].content[1]'],
] as const)('a message that is no text is refused: %j', async ([message, param]) => {
  expect(await failureOf(chat({ messages: [message] }))).toMatchObject({ kind: 'unsupported', param })
})

test('stop strings are heeded for text, and empty ones are none', async () => {
  expect((await text({ stop: 'a' })).stop).toEqual(['a'])
  expect((await text({ stop: ['a', '', 'b'] })).stop).toEqual(['a', 'b'])
  expect((await text({ stop: null })).stop).toEqual([])
})
