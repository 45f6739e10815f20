import { describe, expect, test } from 'vitest'
import { checkAnswer } from './recorded-fetch.ts'

// The suites beside this one rest on these checks: here they are seen to refuse.

const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 }
const choice = { index: 0, text: 'x', logprobs: null, finish_reason: 'stop' }
const completion = {
  id: 'cmpl-1',
  object: 'text_completion',
  created: 1,
  model: 'm',
  choices: [choice],
  usage,
}
const chat = {
  ...completion,
  id: 'chatcmpl-1',
  object: 'chat.completion',
  choices: [{ index: 0, message: { role: 'assistant', content: 'x' }, finish_reason: 'stop' }],
}

describe('a reply', () => {
  test.for([completion, chat])('of OpenAI’s shape passes', (body) => {
    expect(faultOf({ text: JSON.stringify(body) })).toBe('')
  })

  test.for<[string, object]>([
    ['usage that does not add up', { usage: { ...usage, total_tokens: 4 } }],
    ['usage that is not a whole number', { usage: { ...usage, prompt_tokens: 1.5, total_tokens: 3.5 } }],
    ['no usage', { usage: undefined }],
    ['an error key', { error: null }],
    ['another object', { object: 'completion' }],
    ['the id of a chat', { id: 'chatcmpl-1' }],
    ['a date in fractions', { created: 1.5 }],
    ['no finish reason', { choices: [{ ...choice, finish_reason: null }] }],
    ['a finish reason of its own', { choices: [{ ...choice, finish_reason: 'eos' }] }],
    ['no text', { choices: [{ ...choice, text: null }] }],
    ['a choice too many', { choices: [choice, { ...choice, index: 1 }] }],
    ['a choice in the wrong place', { choices: [{ ...choice, index: 1 }] }],
  ])('with %s does not', ([, change]) => {
    expect(faultOf({ text: JSON.stringify({ ...completion, ...change }) })).not.toBe('')
  })
})

describe('a stream', () => {
  const chunk = { ...completion, usage: undefined, choices: [{ ...choice, finish_reason: null }] }
  const last = { ...chunk, choices: [{ ...choice, text: '' }] }
  const delta = (content: object, reason: string | null = null) => ({
    ...chat,
    object: 'chat.completion.chunk',
    usage: undefined,
    choices: [{ index: 0, delta: content, finish_reason: reason }],
  })
  const role = { role: 'assistant', content: '' }
  const broken = { error: { message: 'm', type: 't', param: null, code: 'c' } }
  const call = { index: 0, id: 'call_1', type: 'function', function: { name: 'f', arguments: '' } }

  test.for<[string, string]>([
    ['one choice', frames(chunk, last, '[DONE]')],
    ['an error at its end', frames(chunk, broken)],
    ['a comment to keep it open', `: keepalive\n\n${frames(chunk, last, '[DONE]')}`],
    ['a chat', frames(delta(role), delta({ content: 'x' }), delta({}, 'stop'), '[DONE]')],
  ])('with %s passes', ([, text]) => {
    expect(faultOf({ text, stream: true })).toBe('')
  })

  test.for<[string, string]>([
    ['nothing after its last chunk', frames(chunk, last)],
    ['no end of its choice', frames(chunk, '[DONE]')],
    ['something after [DONE]', frames(chunk, last, '[DONE]', last)],
    ['something after an error', frames(chunk, broken, '[DONE]')],
    ['a chunk after a choice’s end', frames(chunk, last, chunk, '[DONE]')],
    ['a second end', frames(chunk, last, last, '[DONE]')],
    ['another id', frames(chunk, { ...last, id: 'cmpl-2' }, '[DONE]')],
    ['another date', frames(chunk, { ...last, created: 2 }, '[DONE]')],
    ['usage nobody asked for', frames(chunk, last, { ...chunk, choices: [], usage }, '[DONE]')],
    ['two choices in a chunk', frames({ ...last, choices: [choice, { ...choice, index: 1 }] }, '[DONE]')],
    ['a choice left out', frames({ ...last, choices: [{ ...choice, index: 1 }] }, '[DONE]')],
    ['an error key that is null', frames({ ...chunk, error: null }, last, '[DONE]')],
    ['a text that is null', frames({ ...last, choices: [{ ...choice, text: null }] }, '[DONE]')],
    ['a named event', `event: message\n${frames(chunk, last, '[DONE]')}`],
    ['a bare carriage return', frames(chunk, last, '[DONE]').replaceAll('\n', '\r\n')],
    ['half a frame', `${frames(chunk, last)}data: [DO`],
    ['a role told twice', frames(delta(role), delta(role, 'stop'), '[DONE]')],
    ['a role never told', frames(delta({ content: 'x' }, 'stop'), '[DONE]')],
    [
      'a tool call told twice',
      frames(delta({ ...role, tool_calls: [call] }), delta({ tool_calls: [call] }, 'tool_calls'), '[DONE]'),
    ],
  ])('with %s does not', ([, text]) => {
    expect(faultOf({ text, stream: true })).not.toBe('')
  })

  test('that was asked for usage must tell it, last, and null before', () => {
    const waiting = { ...chunk, usage: null }
    const ending = { ...last, usage: null }
    const counted = { ...chunk, choices: [], usage }
    const options = { include_usage: true }
    const fault = (...parts: readonly unknown[]) => faultOf({ text: frames(...parts), stream: true, options })
    expect(fault(waiting, ending, counted, '[DONE]')).toBe('')
    expect(fault(waiting, ending, '[DONE]')).not.toBe('')
    expect(fault(chunk, ending, counted, '[DONE]')).not.toBe('')
    expect(fault(waiting, counted, ending, '[DONE]')).not.toBe('')
  })

  test('that its reader left need not end, but must have begun well', () => {
    expect(faultOf({ text: `${frames(chunk)}data: {"id`, stream: true, isWhole: false })).toBe('')
    expect(faultOf({ text: frames(chunk, last, chunk), stream: true, isWhole: false })).not.toBe('')
  })
})

describe('an error', () => {
  const error = { message: 'm', type: 't', param: null, code: null }

  test('with all four keys passes', () => {
    expect(faultOf({ status: 400, text: JSON.stringify({ error }) })).toBe('')
  })

  test.for<[string, object]>([
    ['without a code', { error: { message: 'm', type: 't', param: null } }],
    ['with a number as code', { error: { ...error, code: 400 } }],
    ['with keys beside it', { error, status: 400 }],
    ['that is a text', { error: 'm' }],
  ])('%s does not', ([, body]) => {
    expect(faultOf({ status: 400, text: JSON.stringify(body) })).not.toBe('')
  })

  test('without a request id does not', () => {
    expect(faultOf({ status: 400, text: JSON.stringify({ error }), requestId: '' })).not.toBe('')
  })
})

type Parts = {
  readonly text: string
  readonly status?: number
  readonly stream?: boolean
  readonly options?: object
  readonly requestId?: string
  readonly isWhole?: boolean
}

/** What the witness says of an answer; '' for nothing. */
function faultOf(parts: Parts): string {
  const { text, status = 200, stream = false, options, isWhole = true } = parts
  const headers = new Headers({
    'content-type': stream ? 'text/event-stream; charset=utf-8' : 'application/json',
    'x-request-id': parts.requestId ?? `req_${'0'.repeat(32)}`,
  })
  const asked = JSON.stringify({ model: 'm', prompt: 'p', stream, stream_options: options })
  try {
    checkAnswer({ path: '/v1/completions', asked, response: { status, headers }, text, isWhole })
    return ''
  } catch (thrown) {
    return String(thrown)
  }
}

function frames(...payloads: readonly unknown[]): string {
  return payloads
    .map((payload) => `data: ${payload === '[DONE]' ? payload : JSON.stringify(payload)}\n\n`)
    .join('')
}
