import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../../src/core/model/json/json.ts'
import type { Attempt, Upstream } from '../../../src/core/model/ports.ts'
import type { Kind } from '../../../src/core/model/terms.ts'
import { openaiCompatible } from '../../../src/providers/openai/openai-compatible.ts'
import { type PresetName, presetNames, presets } from '../../../src/providers/openai/presets.ts'
import { startAttempt } from '../../harness/core/attempt.ts'
import { call } from '../../harness/core/simulated-call.ts'
import { answer, type RawServer, startRawServer } from '../../harness/raw-server.ts'
import { sentBursts } from '../../harness/sent.ts'
import { tools } from '../../harness/tools.ts'
import { failureOf } from '../../harness/wire.ts'

type Scene = AsyncDisposable & { readonly server: RawServer; readonly upstream: Upstream }

async function stage(preset: PresetName | undefined, input: object = {}, reply = whole): Promise<Scene> {
  const server = await startRawServer((socket) => socket.write(answer(reply)))
  const named = preset === undefined ? {} : { preset }
  const settings = openaiCompatible.settings.parse({ ...named, baseUrl: `${server.origin}/v1`, ...input })
  const upstream = openaiCompatible.create('up', settings, tools)
  return {
    server,
    upstream,
    async [Symbol.asyncDispose]() {
      await upstream.close()
      await server[Symbol.asyncDispose]()
    },
  }
}

const whole = JSON.stringify({ choices: [{ index: 0, text: 'one', message: {}, finish_reason: 'stop' }] })

type Heard = { readonly text: string; readonly body: JsonObject; readonly attempt: Attempt }

/** What the server receives of a body, and what is noted. */
async function hear({ server, upstream }: Scene, body: JsonObject, kind: Kind = 'chat'): Promise<Heard> {
  const attempt = startAttempt('m')
  const stream = body['stream'] === true
  const asked = call({ model: 'm', kind, stream, body, source: JSON.stringify(body) })
  await Array.fromAsync(sentBursts(upstream.send(asked, attempt)))
  const text = server.requests.at(-1)?.body ?? ''
  return { text, body: JSON.parse(text), attempt }
}

const user = { role: 'user', content: 'Hello.' }
const rules = { role: 'developer', content: 'Be brief.' }

test.for<[PresetName, unknown, unknown]>([
  ['ollama', [1, 2], '<1><2>'],
  ['lmstudio', [1, 2], '<1><2>'],
  ['tgi', [1, 2], '<1><2>'],
  ['vllm', [1, 2], [1, 2]],
  ['llamacpp', [1, 2], [1, 2]],
  ['tgi', [[1], [2]], ['<1>', '<2>']],
  ['tgi', ['a', 'b'], ['a', 'b']],
])('%s is asked to continue from %j with %j', async ([preset, prompt, heard]) => {
  await using scene = await stage(preset)
  const { body, attempt } = await hear(scene, { model: 'm', prompt }, 'text')
  expect(body['prompt']).toEqual(heard)
  const isTurned = JSON.stringify(heard) !== JSON.stringify(prompt)
  expect(attempt.notes.converted).toEqual(isTurned ? ['token ids to text (cl100k_base)'] : [])
})

describe.for(presetNames)('%s', (preset) => {
  test('gets a plain call byte for byte, with unknown fields and no default of ours', async () => {
    await using scene = await stage(preset)
    const body = {
      model: 'm',
      messages: [user],
      stop: 'x',
      top_k: 3,
      logprobs: undefined,
      invented: { a: null },
    }
    const { text, attempt } = await hear(scene, body)
    expect(text).toBe(JSON.stringify(body))
    expect([...attempt.notes.dropped, ...attempt.notes.converted]).toEqual([])
  })

  test('has an address, or asks for one', () => {
    const { success, data } = openaiCompatible.settings.safeParse({ preset })
    expect(success).toBe(preset !== 'vllm' && preset !== 'transformers')
    if (data === undefined) return
    expect(() => openaiCompatible.create('up', data, tools)).not.toThrow()
    expect(presets[preset].baseUrl).toMatch(/^https:\/\/[a-z.]+\/[a-z/]*v1$|^http:\/\/127\.0\.0\.1:\d+\/v1$/)
  })

  test('is asked for its models', async () => {
    await using scene = await stage(preset, {}, '{"data":[{"id":"a"}]}')
    expect(await scene.upstream.listModels?.(new AbortController().signal)).toMatchObject([{ id: 'a' }])
  })
})

test('no two local servers have the same address, nor the gateway’s own', () => {
  const addresses = presetNames.flatMap((name) => presets[name].baseUrl ?? [])
  expect(new Set(addresses).size).toBe(addresses.length)
  expect(addresses.join()).not.toContain(':8000')
})

test('an address of one’s own wins over the preset’s', async () => {
  await using scene = await stage('openai')
  await hear(scene, { model: 'm', messages: [user] })
  expect(scene.server.requests).toHaveLength(1)
})

test.for([
  ['openai', 'developer'],
  ['openrouter', 'developer'],
  ['vllm', 'system'],
  ['ollama', 'system'],
  ['groq', 'system'],
  ['mistral', 'system'],
  ['deepseek', 'system'],
  ['fireworks', 'system'],
  [undefined, 'developer'],
] as const)('%s gets developer messages as %s', async ([preset, role]) => {
  await using scene = await stage(preset)
  const { body } = await hear(scene, { model: 'm', messages: [rules, user] })
  expect(body['messages']).toEqual([{ ...rules, role }, user])
})

test.for([
  ['openai', 'max_completion_tokens'],
  ['groq', 'max_completion_tokens'],
  ['openrouter', 'max_completion_tokens'],
  [undefined, 'max_tokens'],
  ['transformers', 'max_tokens'],
  ['vllm', 'max_tokens'],
  ['ollama', 'max_tokens'],
  ['mistral', 'max_tokens'],
  ['deepseek', 'max_tokens'],
] as const)('%s takes the token limit as %s', async ([preset, field]) => {
  await using scene = await stage(preset)
  const { body } = await hear(scene, { model: 'm', messages: [user], max_completion_tokens: 5 })
  expect(body).toEqual({ model: 'm', messages: [user], [field]: 5 })
})

test.for([
  ['vllm', { include_usage: true }],
  ['openrouter', { include_usage: true }],
  [undefined, { include_usage: true }],
  ['mistral', undefined],
  ['fireworks', undefined],
] as const)('%s is asked for the usage of a stream with %j', async ([preset, options]) => {
  await using scene = await stage(preset)
  for (const given of [{}, { stream_options: { include_usage: true } }]) {
    const { body, attempt } = await hear(scene, { model: 'm', messages: [user], stream: true, ...given })
    expect(body['stream_options']).toEqual(options)
    expect(attempt.notes.dropped).toEqual([])
  }
})

test('what Groq refuses is left out, and told', async () => {
  await using scene = await stage('groq')
  const messages = [
    { ...user, name: 'ann' },
    { role: 'assistant', content: 'Hi.', reasoning_content: 'Hm.' },
    user,
  ]
  const { body, attempt } = await hear(scene, {
    ...{ model: 'm', messages, logprobs: true, top_logprobs: 2, store: false, user: 'u', seed: 7 },
  })
  expect(body).toEqual({
    ...{ model: 'm', user: 'u', seed: 7 },
    messages: [user, { role: 'assistant', content: 'Hi.' }, user],
  })
  expect(attempt.notes.dropped).toEqual([
    ...['logprobs', 'top_logprobs', 'store'],
    ...['messages[].name', 'messages[].reasoning_content'],
  ])
})

test('what Mistral refuses is left out or goes by its name, and told', async () => {
  await using scene = await stage('mistral')
  const { body, attempt } = await hear(scene, { model: 'm', messages: [user], user: 'u', seed: 7, top_k: 3 })
  expect(body).toEqual({ model: 'm', messages: [user], random_seed: 7, top_k: 3 })
  expect(attempt.notes).toMatchObject({ dropped: ['user'], converted: ['seed to random_seed'] })
})

test('TGI, which refuses a top_p of 1, is not given it', async () => {
  await using scene = await stage('tgi')
  expect((await hear(scene, { model: 'tgi', messages: [user], top_p: 1 })).body).not.toHaveProperty('top_p')
})

test.for(['groq', 'mistral', 'deepseek'] as const)('%s completes no text', async (preset) => {
  await using scene = await stage(preset)
  const asked = hear(scene, { model: 'm', prompt: 'a' }, 'text')
  expect(await failureOf(asked)).toMatchObject({ kind: 'unsupported', provider: 'up' })
  expect(scene.server.requests).toHaveLength(0)
  await hear(scene, { model: 'm', messages: [user] })
  expect(scene.server.requests[0]?.path).toBe('/v1/chat/completions')
})

test.for([
  ['ollama', {}, true],
  ['ollama', { oneChoice: false }, false],
  ['vllm', {}, false],
  ['vllm', { oneChoice: true }, true],
  [undefined, {}, false],
] as const)('%s with %j takes one prompt and one choice: %s', async ([preset, input, oneChoice]) => {
  await using scene = await stage(preset, input)
  expect(scene.upstream.oneChoice).toEqual({ text: oneChoice, chat: oneChoice })
})

test.for([
  ['vllm', '/health'],
  ['sglang', '/health'],
  ['llamacpp', '/health'],
  ['tgi', '/health'],
  ['ollama', '/api/version'],
  ['lmstudio', '/v1/models'],
] as const)('%s tells its health at %s', async ([preset, path]) => {
  await using scene = await stage(preset)
  expect(await scene.upstream.health?.(new AbortController().signal)).toEqual({ isReady: true })
  expect(scene.server.requests[0]?.path).toBe(path)
})

test.for([...(['openai', 'groq', 'mistral', 'openrouter', 'deepseek', 'fireworks'] as const), undefined])(
  '%s is not asked for its health',
  async (preset) => {
    await using scene = await stage(preset)
    expect(scene.upstream.health).toBeUndefined()
  },
)

test('OpenRouter tells prices, and only where their unit is known are prices read', async () => {
  const row = { id: 'a', context_length: 8192, pricing: { prompt: '0.000001', completion: '0.000002' } }
  const list = JSON.stringify({ data: [row] })
  await using priced = await stage('openrouter', {}, list)
  expect(await priced.upstream.listModels?.(new AbortController().signal)).toEqual([
    {
      ...{ id: 'a', contextTokens: 8192 },
      price: {
        inputNanoUsdPerMillion: 1_000_000_000,
        cachedInputNanoUsdPerMillion: undefined,
        outputNanoUsdPerMillion: 2_000_000_000,
        nanoUsdPerSecond: undefined,
      },
    },
  ])
  await using unpriced = await stage('vllm', {}, list)
  expect(await unpriced.upstream.listModels?.(new AbortController().signal)).toMatchObject([
    { contextTokens: 8192, price: { inputNanoUsdPerMillion: undefined, outputNanoUsdPerMillion: undefined } },
  ])
})

describe('what an operator says wins over the preset', () => {
  const asked = { model: 'm', messages: [rules, user], stream: true, max_completion_tokens: 5, user: 'u' }

  test.for([
    ['mistral', { asksUsage: true }, { stream_options: { include_usage: true }, max_tokens: 5 }],
    ['vllm', { asksUsage: false }, { stream_options: undefined, max_tokens: 5 }],
    ['vllm', { renames: {} }, { max_completion_tokens: 5, max_tokens: undefined }],
    ['vllm', { renames: { user: 'end_user' } }, { end_user: 'u', max_completion_tokens: 5 }],
    ['mistral', { drops: [] }, { user: 'u' }],
    ['vllm', { drops: ['user'] }, { user: undefined, max_tokens: 5 }],
    ['vllm', { developerRole: 'keep' }, { messages: [rules, user] }],
    ['openai', { developerRole: 'system' }, { messages: [{ ...rules, role: 'system' }, user] }],
    [undefined, { developerRole: 'system' }, { messages: [{ ...rules, role: 'system' }, user] }],
    [undefined, { drops: ['user'], asksUsage: false }, { user: undefined, stream_options: undefined }],
  ] as const)('%s with %j', async ([preset, quirks, expected]) => {
    await using scene = await stage(preset, { quirks })
    const { body } = await hear(scene, asked)
    for (const [field, value] of Object.entries(expected)) expect(body[field]).toEqual(value)
  })
})
