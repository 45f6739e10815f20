import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../../src/core/model/json/json.ts'
import type { Kind } from '../../../src/core/model/terms.ts'
import { jobRequest, type Worker } from '../../../src/providers/runpod/input.ts'
import { startAttempt } from '../../harness/core/attempt.ts'
import { call } from '../../harness/core/simulated-call.ts'
import { tools } from '../../harness/tools.ts'
import { failureOf } from '../../harness/wire.ts'

const messages = [{ role: 'user', content: 'one two' }]

async function inputOf(worker: Worker, kind: Kind, body: JsonObject, stream = false) {
  const attempt = startAttempt('org/model')
  const parts = { worker, provider: 'up', detokenizer: tools.detokenizer }
  const request = await jobRequest(call({ model: 'm', kind, body, stream }), attempt, parts)
  return { ...request, input: JSON.parse(request.text).input, notes: attempt.notes }
}

const oldNotes = ['max_tokens left to the worker (100)', 'prompt to worker input']

test.for<readonly [Worker, Kind, JsonObject, boolean, JsonObject, readonly string[]]>([
  [
    'vllm',
    'chat',
    { model: 'm', messages, seed: 7, unknown: { a: 1 } },
    false,
    {
      openai_route: '/v1/chat/completions',
      openai_input: { model: 'org/model', messages, seed: 7, unknown: { a: 1 } },
    },
    [],
  ],
  [
    'vllm',
    'text',
    { model: 'm', prompt: 'Hi', stream: true },
    true,
    {
      openai_route: '/v1/completions',
      openai_input: {
        model: 'org/model',
        prompt: 'Hi',
        stream: true,
        stream_options: { include_usage: true },
      },
    },
    [],
  ],
  ['any', 'text', { model: 'm', prompt: 'Hi' }, false, { model: 'org/model', prompt: 'Hi' }, []],
  ['any', 'text', {}, false, { model: 'org/model' }, []],
  [
    'vllm-old',
    'text',
    { model: 'm', prompt: 'Hi' },
    false,
    { prompt: 'Hi', sampling_params: {}, stream: false },
    oldNotes,
  ],
  [
    'vllm-old',
    'text',
    { prompt: [1, 2], max_tokens: 5 },
    true,
    { prompt: '<1><2>', sampling_params: { max_tokens: 5 }, stream: true },
    ['token ids to text (cl100k_base)', 'prompt to worker input'],
  ],
  [
    'vllm-old',
    'chat',
    { messages, max_completion_tokens: 9, top_p: 0.5, top_k: 3, stop: null, unknown: 1 },
    false,
    {
      messages,
      apply_chat_template: true,
      sampling_params: { top_p: 0.5, top_k: 3, unknown: 1, max_tokens: 9 },
      stream: false,
    },
    ['max_completion_tokens to max_tokens', 'messages to worker input'],
  ],
])(
  'a worker that is %s takes a %s call %j, stream %s, as such input',
  async ([worker, kind, body, stream, expected, converted]) => {
    const { input, notes } = await inputOf(worker, kind, body, stream)
    expect(input).toEqual(expected)
    expect(notes.converted).toEqual(converted)
  },
)

test("the caller's own text goes into the input byte for byte", async () => {
  const source = '{ "model":"org/model", "prompt":"Hi", "seed": 12192233397672327001 }'
  const body = { model: 'org/model', prompt: 'Hi', seed: 0 }
  const asked = call({ model: 'm', body, source })
  const parts = { worker: 'vllm', provider: 'up', detokenizer: tools.detokenizer } as const
  const { text } = await jobRequest(asked, startAttempt('org/model'), parts)
  expect(text).toBe(`{"input":{"openai_route":"/v1/completions","openai_input":${source}}}`)
})

describe('the old worker', () => {
  test('is told nothing of what changes no answer, and the record says so', async () => {
    const { input, notes } = await inputOf('vllm-old', 'chat', { messages, user: 'u1', store: true })
    expect(input.sampling_params).toEqual({})
    expect(notes.dropped.toSorted()).toEqual(['store', 'user'])
  })

  test.for([
    ['chat', { messages, tools: [{ type: 'function' }] }, 'tools'],
    ['chat', { messages, response_format: { type: 'json_object' } }, 'response_format'],
    ['chat', { messages, logprobs: true }, 'logprobs'],
    ['text', { prompt: 'Hi', echo: true }, 'echo'],
    ['text', { prompt: 'Hi', suffix: 'x' }, 'suffix'],
  ] as const)('does not take a %s call %j', async ([kind, body, param]) => {
    expect(await failureOf(inputOf('vllm-old', kind, body))).toMatchObject({ kind: 'unsupported', param })
  })

  test.for([
    [{ max_tokens: 5 }, 5, true],
    [{ max_tokens: 5 }, 4, false],
    [{ max_tokens: 500 }, 100, false],
    [{}, 100, true],
    [{}, 99, false],
    // An endpoint may have been given another bound.
    [{}, 101, false],
  ] as const)('asked for %j has cut an answer of %s tokens short: %s', async ([bounds, tokens, expected]) => {
    const { isFull } = await inputOf('vllm-old', 'text', { prompt: 'Hi', ...bounds })
    expect(isFull(tokens)).toBe(expected)
  })
})
