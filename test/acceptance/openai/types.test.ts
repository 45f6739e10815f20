import { describe, expect, test } from 'vitest'
import { faultsOf, type TypeName } from './types.ts'

const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 }
const head = { id: 'x', created: 1, model: 'm' }
const text = {
  ...head,
  object: 'text_completion',
  choices: [{ text: 'a', index: 0, logprobs: null, finish_reason: 'stop' }],
  usage,
}
const message = { role: 'assistant', content: 'a', refusal: null }
const chat = {
  ...head,
  object: 'chat.completion',
  choices: [{ index: 0, message, logprobs: null, finish_reason: 'stop' }],
  usage,
}
const chunk = {
  ...head,
  object: 'chat.completion.chunk',
  choices: [{ index: 0, delta: { content: 'a' }, finish_reason: null }],
}
const delta = {
  type: 'response.output_text.delta',
  item_id: 'i',
  output_index: 0,
  content_index: 0,
  delta: 'a',
  sequence_number: 1,
  logprobs: [],
}

describe('What OpenAI sends is of its types', () => {
  test.for<[TypeName, unknown]>([
    ['Completion', text],
    ['Completion', { ...text, choices: [{ ...text.choices[0], finish_reason: null }], usage: null, more: 1 }],
    ['ChatCompletion', chat],
    ['ChatCompletionChunk', chunk],
    ['ChatCompletionChunk', { ...chunk, choices: [], usage }],
    [
      'CreateEmbeddingResponse',
      { object: 'list', model: 'm', data: [], usage: { prompt_tokens: 1, total_tokens: 1 } },
    ],
    ['Model', { id: 'm', object: 'model', created: 1, owned_by: 'o' }],
    ['ErrorObject', { message: 'm', type: 't', param: null, code: null }],
    ['ResponseStreamEvent', delta],
  ])('%s', ([name, value]) => {
    expect(faultsOf(name, value)).toEqual([])
  })
})

describe('What it does not send is not', () => {
  test.for<[TypeName, unknown, string]>([
    ['Completion', { ...text, object: 'text' }, 'Completion.object: "text" is not "text_completion"'],
    [
      'Completion',
      { ...text, choices: [{ ...text.choices[0], index: '0' }] },
      'Completion.choices[0].index: "0" is not number',
    ],
    [
      'ChatCompletion',
      { ...chat, usage: { ...usage, total_tokens: null } },
      'ChatCompletion.usage.total_tokens: null is not number',
    ],
    [
      'ChatCompletion',
      {
        ...chat,
        choices: [{ ...chat.choices[0], message: { role: 'assistant', content: 'a', refusal: 7 } }],
      },
      'ChatCompletion.choices[0].message.refusal: 7 is none of its types',
    ],
    [
      'ChatCompletion',
      { ...chat, service_tier: 'on_demand' },
      'ChatCompletion.service_tier: "on_demand" is none of its types',
    ],
    [
      'ChatCompletionChunk',
      { ...chunk, choices: [{ ...chunk.choices[0], finish_reason: 'eos' }] },
      'ChatCompletionChunk.choices[0].finish_reason: "eos" is none of its types',
    ],
    ['ErrorObject', { message: 'm', type: 't', param: null }, 'ErrorObject.code: missing'],
    ['ResponseStreamEvent', { ...delta, delta: 7 }, 'ResponseStreamEvent.delta: 7 is not string'],
    [
      'ResponseStreamEvent',
      { type: 'response.none' },
      'ResponseStreamEvent: {"type":"response.none"} is none of its types',
    ],
  ])('%s', ([name, value, fault]) => {
    expect(faultsOf(name, value)).toEqual([fault])
  })
})
