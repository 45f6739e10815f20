import { expect, test } from 'vitest'
import type { Call } from '../../../src/core/model/call.ts'
import type { JsonObject } from '../../../src/core/model/json/json.ts'
import { parseJson } from '../../../src/core/model/json/json.ts'
import { JsonText } from '../../../src/core/model/json/json-text.ts'
import { openAiRequest, type RequestQuirks } from '../../../src/providers/openai/request.ts'
import { startAttempt } from '../../harness/core/attempt.ts'
import { call } from '../../harness/core/simulated-call.ts'

const quirks: RequestQuirks = { asksUsage: true, renames: {}, drops: [], adapt: (body) => body }

function callFrom(source: string, more: Partial<Call> = {}): Call {
  const body = parseJson(source) as JsonObject
  return call({ model: 'm', kind: 'chat', stream: body['stream'] === true, body, source, ...more })
}

type Row = readonly [name: string, source: string, upstreamModel: string, sent: string]

const rows: readonly Row[] = [
  [
    'nothing to change',
    '{ "model":"m", "seed":9223372036854775807 , "t":1.0}',
    'm',
    '{ "model":"m", "seed":9223372036854775807 , "t":1.0}',
  ],
  [
    'another name for the model',
    '{"model":"m","seed":9223372036854775807}',
    'org/m',
    '{"model":"org/m","seed":9223372036854775807}',
  ],
  [
    'a stream that asks for no usage',
    '{"model":"m","stream":true}',
    'm',
    '{"model":"m","stream":true,"stream_options":{"include_usage":true}}',
  ],
  [
    'a stream that asks for usage',
    '{"model":"m","stream":true,"stream_options":{"include_usage":true}}',
    'm',
    '{"model":"m","stream":true,"stream_options":{"include_usage":true}}',
  ],
  [
    'a stream that declines usage',
    '{"model":"m","stream":true,"stream_options":{"include_usage":false,"x":1}}',
    'm',
    '{"model":"m","stream":true,"stream_options":{"include_usage":true,"x":1}}',
  ],
  [
    'a stream with null options',
    '{"stream_options":null,"model":"m","stream":true}',
    'm',
    '{"stream_options":{"include_usage":true},"model":"m","stream":true}',
  ],
  [
    'options where nothing streams',
    '{"model":"m","stream":false,"stream_options":{"include_usage":true}}',
    'm',
    '{"model":"m","stream":false,"stream_options":null}',
  ],
  [
    'null options where nothing streams',
    '{"model":"m","stream_options":null}',
    'm',
    '{"model":"m","stream_options":null}',
  ],
  [
    'unknown fields',
    '{"model":"m","guided_json":{"a":[1e400]},"x":null}',
    'm',
    '{"model":"m","guided_json":{"a":[1e400]},"x":null}',
  ],
]

test.for(rows)('%s', ([, source, upstreamModel, sent]) => {
  expect(openAiRequest(callFrom(source), startAttempt(upstreamModel), quirks).text).toBe(sent)
})

test.for(rows)('%s, without the text it came in', ([, source, upstreamModel, sent]) => {
  const text = openAiRequest(
    { ...callFrom(source), body: JsonText.of(callFrom(source).body.value) },
    startAttempt(upstreamModel),
    quirks,
  ).text
  expect(JSON.parse(text)).toEqual(JSON.parse(sent))
})

test('a call that streams though its body does not say so says so upstream', () => {
  const sent = openAiRequest(callFrom('{"model":"m"}', { stream: true }), startAttempt('m'), quirks)
  expect(sent.text).toBe('{"model":"m","stream":true,"stream_options":{"include_usage":true}}')
})

test('a server that knows no stream options is sent none', () => {
  const sent = openAiRequest(callFrom('{"model":"m","stream":true}'), startAttempt('m'), {
    ...quirks,
    asksUsage: false,
  })
  expect(sent.text).toBe('{"model":"m","stream":true}')
})

test('a field with another name there is renamed, told, and wins over its old name', () => {
  const renames = { max_completion_tokens: 'max_tokens' }
  const attempt = startAttempt('m')
  const source = '{"model":"m","max_completion_tokens":5,"max_tokens":9}'
  expect(JSON.parse(openAiRequest(callFrom(source), attempt, { ...quirks, renames }).text)).toEqual({
    model: 'm',
    max_tokens: 5,
  })
  expect(attempt.notes.converted).toEqual(['max_completion_tokens to max_tokens'])
})

test('a field with another name that is absent or null changes nothing', () => {
  const renames = { max_completion_tokens: 'max_tokens' }
  const attempt = startAttempt('m')
  const source = '{"model":"m","max_completion_tokens":null,"max_tokens":9}'
  expect(openAiRequest(callFrom(source), attempt, { ...quirks, renames }).text).toBe(source)
  expect(attempt.notes.converted).toEqual([])
})

test('a field the server refuses is left out, and named', () => {
  const attempt = startAttempt('m')
  const source = '{"model":"m","logit_bias":{"5":1},"seed":9223372036854775807,"user":"u"}'
  const drops = ['user', 'logit_bias', 'store']
  expect(openAiRequest(callFrom(source), attempt, { ...quirks, drops }).text).toBe(
    '{"model":"m","seed":9223372036854775807}',
  )
  expect(attempt.notes.dropped).toEqual(['user', 'logit_bias'])
})

test('a refused field that is null is left out, and nothing is lost', () => {
  const attempt = startAttempt('m')
  const sent = openAiRequest(callFrom('{"model":"m","user":null}'), attempt, { ...quirks, drops: ['user'] })
  expect(sent.text).toBe('{"model":"m"}')
  expect(attempt.notes.dropped).toEqual([])
})

test('without a field that the server refuses, the text is the caller’s own', () => {
  const source = '{ "model":"m" }'
  const sent = openAiRequest(callFrom(source), startAttempt('m'), { ...quirks, drops: ['user'] })
  expect(sent.text).toBe(source)
})

test('a field goes by its name there before it is looked for among the refused', () => {
  const attempt = startAttempt('m')
  const renames = { max_completion_tokens: 'max_tokens' }
  const drops = ['max_completion_tokens']
  const sent = openAiRequest(callFrom('{"model":"m","max_completion_tokens":5}'), attempt, {
    ...quirks,
    renames,
    drops,
  })
  expect(JSON.parse(sent.text)).toEqual({ model: 'm', max_tokens: 5 })
  expect(attempt.notes.dropped).toEqual([])
})

test('an adapted body is what is sent, with the model’s name there and the usage asked for', () => {
  const attempt = startAttempt('org/m')
  const adapt: RequestQuirks['adapt'] = (body, kind, notes) => {
    notes.converted.push(`${kind} to haste`)
    return { ...body, hurry: true }
  }
  const sent = openAiRequest(callFrom('{"model":"m","stream":true}'), attempt, { ...quirks, adapt })
  expect(JSON.parse(sent.text)).toEqual({
    ...{ model: 'org/m', stream: true, hurry: true },
    stream_options: { include_usage: true },
  })
  expect(attempt.notes.converted).toEqual(['chat to haste'])
})

test('stream options that an adaptation left out stay out', () => {
  const source = '{"model":"m","stream_options":{"include_usage":true}}'
  const sent = openAiRequest(callFrom(source), startAttempt('m'), {
    ...quirks,
    adapt: ({ stream_options, ...rest }) => rest,
  })
  expect(sent.text).toBe('{"model":"m"}')
})
