import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { RequestContext } from '../../../src/providers/http-error/http-error.ts'
import { readPandotateAnswer } from '../../../src/providers/pandotate/answer.ts'
import { readReply } from '../../../src/providers/prompt/prompt-answer.ts'
import type { PromptRequest } from '../../../src/providers/prompt/prompt-request.ts'

const fixture = (name: string) =>
  readFileSync(new URL(`../../fixtures/pandotate/${name}`, import.meta.url), 'utf8')

const plain: PromptRequest = {
  kind: 'text',
  model: 'mistral-7b',
  stop: [],
  maxTokens: undefined,
  prompt: 'Hi',
  fields: {},
  isWhole: true,
  echo: '',
  beginsWithSpace: false,
}

const asked: RequestContext = {
  ...{ provider: 'pandotate', model: 'm', key: 'ours', keySetting: 'PANDOTATE_API_KEY' },
  ...{ secrets: [], epochMs: 0, request: () => '' },
}

const reply = (text: string, request: PromptRequest) =>
  readReply(text, request, readPandotateAnswer, () => asked)

function read(answer: string | object, request: Partial<PromptRequest> = {}) {
  const text = typeof answer === 'string' ? answer : JSON.stringify({ model: 'm', ...answer })
  const { value: chunk } = reply(text, { ...plain, ...request })
  const [choice] = (chunk['choices'] ?? []) as {
    text?: string
    message?: { content: string }
    finish_reason: string
  }[]
  const said = choice?.text ?? choice?.message?.content
  return { chunk, said, finish: choice?.finish_reason, usage: chunk['usage'] }
}

test('an answer to a prompt is a text completion', () => {
  expect(reply(fixture('plain.json'), plain).value).toEqual({
    object: 'text_completion',
    model: 'mistral-7b',
    choices: [{ index: 0, text: 'one two', logprobs: null, finish_reason: 'stop' }],
    usage: { prompt_tokens: 2, completion_tokens: 3 },
  })
})

test('an answer to messages is a chat completion', () => {
  expect(read(fixture('plain.json'), { kind: 'chat' }).chunk).toEqual({
    object: 'chat.completion',
    model: 'mistral-7b',
    choices: [
      { index: 0, message: { role: 'assistant', content: 'one two' }, logprobs: null, finish_reason: 'stop' },
    ],
    usage: { prompt_tokens: 2, completion_tokens: 3 },
  })
})

test('without a model of its own, an answer is of the model that was asked', () => {
  expect(read('{"output":"x"}').chunk['model']).toBe('mistral-7b')
  expect(read('{"output":"x","model":7}').chunk['model']).toBe('mistral-7b')
})

const counts: readonly (readonly [string, string | object, object | undefined, Partial<PromptRequest>?])[] = [
  ['zeros are no counts', fixture('zero-counts.json'), undefined],
  ['no counts are none', fixture('no-counts.json'), undefined],
  ['one count alone may be a total', fixture('one-count.json'), undefined],
  [
    'usage comes first',
    fixture('usage.json'),
    { prompt_tokens: 5, completion_tokens: 6, total_tokens: 11, prompt_tokens_details: { cached_tokens: 4 } },
  ],
  [
    'an empty usage does not',
    { output: 'x', usage: {}, tokens: 2, completion_tokens: 3 },
    { prompt_tokens: 2, completion_tokens: 3 },
  ],
  [
    'a usage that is none does not',
    { output: 'x', usage: 'many', tokens: 2, completion_tokens: 3 },
    { prompt_tokens: 2, completion_tokens: 3 },
  ],
  ['one of two counts', { output: 'x', tokens: 0, completion_tokens: 3 }, { completion_tokens: 3 }],
  ['the other of two counts', { output: 'x', tokens: 2, completion_tokens: 0 }, { prompt_tokens: 2 }],
  [
    'a zero in usage',
    { output: 'x', usage: { prompt_tokens: 0, completion_tokens: 3, total_tokens: 3 } },
    { completion_tokens: 3, total_tokens: 3 },
  ],
  [
    'a zero that is true of the answer',
    { output: '', tokens: 2, completion_tokens: 0 },
    { prompt_tokens: 2, completion_tokens: 0 },
  ],
  [
    'a zero that is true of the prompt',
    { output: 'x', tokens: 0, completion_tokens: 3 },
    { prompt_tokens: 0, completion_tokens: 3 },
    { prompt: '' },
  ],
  [
    'absurd counts are left to be seen',
    { output: 'x', tokens: -7, completion_tokens: 1e21 },
    { prompt_tokens: -7, completion_tokens: 1e21 },
  ],
  [
    'counts that are no numbers too',
    { output: 'x', tokens: 'two', completion_tokens: 3 },
    { prompt_tokens: 'two', completion_tokens: 3 },
  ],
]

test.for(counts)('%s', ([, answer, usage, request]) => {
  expect(read(answer, request).usage).toEqual(usage)
})

const ends: readonly (readonly [string, object, Partial<PromptRequest>, string, string])[] = [
  ['is not told', {}, {}, 'one two', 'stop'],
  ['is told', { finish_reason: 'eos' }, {}, 'one two', 'eos'],
  ['is told as nothing', { finish_reason: null }, {}, 'one two', 'stop'],
  ['is told as no word', { finish_reason: '' }, {}, 'one two', 'stop'],
  ['is where the bound is', { completion_tokens: 2 }, { maxTokens: 2 }, 'one two', 'length'],
  ['is past the bound', { usage: { completion_tokens: 9 } }, { maxTokens: 2 }, 'one two', 'length'],
  ['is before the bound', { completion_tokens: 1 }, { maxTokens: 2 }, 'one two', 'stop'],
  ['is at an unknown place', {}, { maxTokens: 2 }, 'one two', 'stop'],
  [
    'is told before the bound',
    { completion_tokens: 1, finish_reason: 'length' },
    { maxTokens: 2 },
    'one two',
    'length',
  ],
  [
    'is a stop string',
    { completion_tokens: 2, finish_reason: 'length' },
    { stop: [' two'], maxTokens: 2 },
    'one',
    'stop',
  ],
  ['is the first of several', {}, { stop: ['o', 'two'] }, '', 'stop'],
  ['is a stop string at once', {}, { stop: ['one'] }, '', 'stop'],
  ['is no stop string', {}, { stop: ['three'] }, 'one two', 'stop'],
]

test.for(ends)('an answer whose end %s', ([, fields, request, said, finish]) => {
  expect(read({ output: 'one two', ...fields }, request)).toMatchObject({ said, finish })
})

test('the prompt is repeated when an echo was requested, and no stop string is found in it', () => {
  expect(read({ output: ' two.' }, { echo: 'one.', stop: ['.'] })).toMatchObject({
    said: 'one. two',
    finish: 'stop',
  })
})

test.for([
  [' one', true, 'one'],
  ['  one', true, ' one'],
  ['one', true, 'one'],
  [' one', false, ' one'],
  ['', true, ''],
] as const)('%j, the space of the template %s, is %j', ([output, beginsWithSpace, said]) => {
  expect(read({ output }, { kind: 'chat', beginsWithSpace }).said).toBe(said)
})

test('what else was said stays, and stands for nothing of ours', () => {
  const { chunk } = read(fixture('extra-keys.json'))
  expect(chunk).toMatchObject({
    region: 'eu-1',
    queue_ms: 12,
    object: 'text_completion',
    usage: { prompt_tokens: 2 },
  })
  expect(chunk['choices']).toHaveLength(1)
  expect(JSON.stringify(chunk)).toContain('"trace":9223372036854775807')
  expect(chunk).not.toHaveProperty('output')
  expect(chunk).not.toHaveProperty('tokens')
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
})

test.for([
  [{ error: 'worker lost' }, 'worker lost'],
  [{ error: { message: 'no', code: 7 } }, 'no'],
  [{ error: 7, output: 'x' }, '7'],
] as const)('%j is an error, with what it says', ([answer, said]) => {
  expect(() => read(answer)).toThrow(
    expect.objectContaining({
      kind: 'upstream_error',
      provider: 'pandotate',
      upstreamSaid: said,
    }),
  )
})

test('an error that is null is none', () => {
  expect(read({ output: 'x', error: null }).chunk).not.toHaveProperty('error')
})

test.for([
  ['', /in JSON/],
  [fixture('half.json'), /in JSON/],
  ['<html></html>', /in JSON/],
  ['[]', /in JSON/],
  ['"text"', /in JSON/],
  ['{}', /without output/],
  [fixture('no-output.json'), /without output/],
  ['{"output":null}', /without output/],
  ['{"output":["a"]}', /without output/],
] as const)('%j is no answer', ([text, message]) => {
  expect(() => read(text)).toThrow(
    expect.objectContaining({
      kind: 'invalid_response',
      provider: 'pandotate',
      message: expect.stringMatching(message),
    }),
  )
})
