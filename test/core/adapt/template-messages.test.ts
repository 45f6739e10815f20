import { describe, expect, test } from 'vitest'
import { type Family, flatten } from '../../../src/core/adapt/template.ts'
import { Failure } from '../../../src/core/model/failure.ts'

type Message = { role: string; content?: unknown }

const system = { role: 'system', content: 'Be brief.' }
const question = { role: 'user', content: 'Hi' }
const answer = { role: 'assistant', content: 'Hello!' }
const followUp = { role: 'user', content: 'Why?' }
const start = { role: 'assistant', content: 'Because ' }

describe('templates with alternating questions and answers', () => {
  test.for<[string, Message[], Family, string]>([
    [
      'neighbours on one side become one',
      [question, followUp, answer, answer, question],
      'mistral',
      '[INST] Hi\n\nWhy? [/INST] Hello!\n\nHello!</s>[INST] Hi [/INST]',
    ],
    [
      'an initial answer gets an empty question',
      [answer, question],
      'mistral',
      '[INST]  [/INST] Hello!</s>[INST] Hi [/INST]',
    ],
    ['a lone answer is continued', [start], 'mistral-v3', '[INST] [/INST] Because '],
    ['system text alone is the question', [system], 'mistral', '[INST] Be brief. [/INST]'],
    ['system text alone keeps its marks', [system], 'llama2', '[INST] <<SYS>>\nBe brief.\n<</SYS>> [/INST]'],
    [
      'later system text joins the question after it',
      [question, answer, system, followUp],
      'llama2',
      '[INST] Hi [/INST] Hello! </s><s>[INST] Be brief.\n\nWhy? [/INST]',
    ],
    [
      'several system messages are one',
      [system, { role: 'developer', content: 'Be kind.' }, question],
      'llama2',
      '[INST] <<SYS>>\nBe brief.\n\nBe kind.\n<</SYS>>\n\nHi [/INST]',
    ],
    [
      'system text before a greeting by the assistant',
      [system, answer, question],
      'mistral',
      '[INST] Be brief. [/INST] Hello!</s>[INST] Hi [/INST]',
    ],
  ])('%s', ([, messages, family, prompt]) => {
    expect(flatten(messages, { family }).prompt).toBe(prompt)
  })
})

describe('content', () => {
  test.for<[string, unknown, string]>([
    ['a string', 'Hi', 'Hi'],
    ['null', null, ''],
    ['absent', undefined, ''],
    ['no parts', [], ''],
    ['one text part', [{ type: 'text', text: 'Hi' }], 'Hi'],
    [
      'several text parts, a line each',
      [
        { type: 'text', text: 'Hi' },
        { type: 'text', text: 'there' },
      ],
      'Hi\nthere',
    ],
    ['a part with unknown fields', [{ type: 'text', text: 'Hi', cache_control: {} }], 'Hi'],
  ])('%s', ([, content, prompt]) => {
    expect(flatten([{ role: 'user', content, name: 'x', extra: 1 }], { family: 'raw' }).prompt).toBe(prompt)
  })
})

describe('what a prompt cannot express is refused by name', () => {
  test.for<[string, unknown, string, string, string]>([
    ['no array', 'Hi', 'invalid_request', 'messages', 'messages must be an array of messages.'],
    ['no messages', [], 'invalid_request', 'messages', 'messages must hold at least one message.'],
    [
      'an invalid message',
      [question, 'Hi'],
      'invalid_request',
      'messages[1]',
      'messages[1] must be an object.',
    ],
    [
      'a tool result',
      [question, { role: 'tool', content: 'x', tool_call_id: 'a' }],
      'unsupported',
      'messages[1].role',
      'messages[1].role must be one of system, developer, user, assistant: this model is served from a plain text prompt.',
    ],
    [
      'no role',
      [{ content: 'x' }],
      'unsupported',
      'messages[0].role',
      'messages[0].role must be one of system, developer, user, assistant: this model is served from a plain text prompt.',
    ],
    [
      'a role from the prototype of objects',
      [{ role: 'constructor', content: 'x' }],
      'unsupported',
      'messages[0].role',
      'messages[0].role must be one of system, developer, user, assistant: this model is served from a plain text prompt.',
    ],
    [
      'an image',
      [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'x' },
            { type: 'image_url', image_url: { url: 'y' } },
          ],
        },
      ],
      'unsupported',
      'messages[0].content[1]',
      'messages[0].content[1] must be a text part: this model is served from a plain text prompt.',
    ],
    [
      'a call of a tool',
      [question, { role: 'assistant', content: null, tool_calls: [{ id: 'a' }] }],
      'unsupported',
      'messages[1].tool_calls',
      'messages[1].tool_calls cannot be sent: this model is served from a plain text prompt.',
    ],
    [
      'a number as content',
      [{ role: 'user', content: 7 }],
      'invalid_request',
      'messages[0].content',
      'messages[0].content must be a string or an array of content parts.',
    ],
    [
      'a text part without text',
      [{ role: 'user', content: [{ type: 'text' }] }],
      'invalid_request',
      'messages[0].content[0].text',
      'messages[0].content[0].text must be a string.',
    ],
  ])('%s', ([, messages, kind, param, message]) => {
    const failure = caught(() => flatten(messages, { family: 'chatml' }))
    expect(failure).toBeInstanceOf(Failure)
    expect(failure).toMatchObject({ kind, param, message })
  })

  test('empty fields are accepted', () => {
    const silent = { ...answer, tool_calls: [], function_call: null, refusal: null }
    expect(flatten([question, silent, followUp], { family: 'chatml' }).prompt).toContain('Hello!')
  })
})

function caught(run: () => unknown): unknown {
  try {
    run()
  } catch (thrown) {
    return thrown
  }
  return undefined
}
