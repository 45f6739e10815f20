import { describe, expect, test } from 'vitest'
import type { Kind } from '../../../src/core/model/terms.ts'
import { startAttempt } from '../../harness/core/attempt.ts'
import { call, tell } from '../../harness/core/simulated-call.ts'
import { answer, type Behaviour, chunk, lastChunk, streamed, streamHead } from '../../harness/raw-server.ts'
import { sentBursts } from '../../harness/sent.ts'
import { type Scene, stage } from './harness.ts'

const settings = { deployment: { model: 'abc123' }, predict: true }
const octets = { headers: { 'content-type': 'application/octet-stream' } }
const ways = [
  ['text', false],
  ['text', true],
  ['chat', false],
  ['chat', true],
] as const

async function ask(scene: Scene, kind: Kind, stream: boolean) {
  const attempt = startAttempt('m')
  const told = await tell(scene.upstream, call({ model: 'm', kind, stream }), attempt)
  return { ...told, converted: attempt.notes.converted }
}

test('a model is given the request as it is, but for its own name', async () => {
  await using scene = await stage((socket) => socket.write(answer('"x"')), settings)
  const source = '{ "messages":[], "model":"caller\'s", "anything":9223372036854775807, "stream":true }'
  const asked = call({ model: "caller's", kind: 'chat', stream: true, source, body: JSON.parse(source) })
  await tell(scene.upstream, asked, startAttempt('placeholder'))
  expect(scene.server.requests[0]?.body).toBe(source.replace("caller's", 'placeholder'))
  expect(scene.upstream.oneChoice).toEqual({ text: true, chat: true })
})

describe.for(ways)('to a %s call, stream %s', ([kind, stream]) => {
  test.for<readonly [name: string, body: string]>([
    ['a text', '"one two"'],
    ['an output', '{"output":"one two"}'],
    ['an output beside other things', '{"status":"ok","output":"one two","error":null}'],
    ['pieces', '{"output":["one"," two"]}'],
    ['a generated text', '{"generated_text":"one two"}'],
    ['a list of one generated text', '[{"generated_text":"one two"}]'],
    ['an output with a text in it', '{"output":{"text":"one two"}}'],
  ])('JSON that holds %s is a whole answer, without usage', async ([, body]) => {
    await using scene = await stage((socket) => socket.write(answer(body)), settings)
    expect(await ask(scene, kind, stream)).toMatchObject({
      text: 'one two',
      reason: 'stop',
      usage: undefined,
      failure: undefined,
      converted: [`predict output to ${kind}`],
    })
  })

  test.for<readonly [name: string, choice: object]>([
    ['a chat', { index: 0, message: { role: 'assistant', content: 'one two' }, finish_reason: 'length' }],
    ['a text completion', { index: 0, text: 'one two', finish_reason: 'length' }],
  ])('a reply of OpenAI, %s, is read as such', async ([, choice]) => {
    const usage = { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 }
    const body = JSON.stringify({ id: 'x', choices: [choice], usage })
    await using scene = await stage((socket) => socket.write(answer(body)), settings)
    expect(await ask(scene, kind, stream)).toMatchObject({
      text: 'one two',
      reason: 'length',
      usage,
      failure: undefined,
    })
  })

  test('bare text is a whole answer once its body is, without usage', async () => {
    for (const body of [streamed(['one', ' two'], octets), answer('one two', octets)]) {
      await using scene = await stage((socket) => socket.write(body), settings)
      expect(await ask(scene, kind, stream)).toMatchObject({
        text: 'one two',
        reason: 'stop',
        usage: undefined,
        failure: undefined,
        converted: [`predict output to ${kind}`],
      })
    }
  })

  test('a letter that comes in two pieces is one letter', async () => {
    const bytes = Buffer.from('naïve 😀')
    const pieces = Array.from(bytes, (_, at) => bytes.subarray(at, at + 1))
    await using scene = await stage((socket) => socket.write(streamed(pieces, octets)), settings)
    expect(await ask(scene, kind, stream)).toMatchObject({ text: 'naïve 😀', failure: undefined })
  })

  test.for<readonly [name: string, behave: Behaviour, kind: string]>([
    [
      'bare text that breaks off between its pieces',
      (socket) => socket.end(streamHead(octets) + chunk('one')),
      'interrupted',
    ],
    [
      'bare text shorter than announced',
      (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 9\r\n\r\none'),
      'interrupted',
    ],
    [
      'bare text of which nobody can tell whether it is all',
      (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nconnection: close\r\n\r\none'),
      'interrupted',
    ],
    ['no text at all', (socket) => socket.write(streamed([], octets)), 'invalid_response'],
    [
      'bytes that are no text',
      (socket) => socket.write(streamed([Buffer.from([0xff, 0xfe, 0x00])], octets)),
      'invalid_response',
    ],
    [
      'half a letter at the end',
      (socket) => socket.write(streamed([Buffer.from('ï').subarray(0, 1)], octets)),
      'invalid_response',
    ],
    [
      'a picture',
      (socket) => socket.write(answer('x', { headers: { 'content-type': 'image/png' } })),
      'invalid_response',
    ],
    ['an output that is a number', (socket) => socket.write(answer('{"output":42}')), 'invalid_response'],
    ['a number', (socket) => socket.write(answer('42')), 'invalid_response'],
    [
      'several answers',
      (socket) => socket.write(answer('[{"output":"a"},{"output":"b"}]')),
      'invalid_response',
    ],
    [
      'lists without bottom',
      (socket) => socket.write(answer('['.repeat(50_000) + ']'.repeat(50_000))),
      'invalid_response',
    ],
    [
      'an error beside an output',
      (socket) => socket.write(answer('{"output":"","error":"it broke"}')),
      'upstream_error',
    ],
  ])('%s is no answer', async ([, behave, failureKind]) => {
    await using scene = await stage(behave, settings)
    const { failure } = await ask(scene, kind, stream)
    expect(failure).toMatchObject({ kind: failureKind })
  })
})

test('bare text is given as it comes, and its end apart', async () => {
  await using scene = await stage((socket) => socket.write(streamHead(octets) + chunk('one')), settings)
  const sent = scene.upstream.send(call({ model: 'm', kind: 'text', stream: true }), startAttempt('m'))
  const reader = sentBursts(sent)
  expect((await reader.next()).value?.map(({ value }) => value)).toMatchObject([
    { choices: [{ text: 'one' }] },
  ])
  scene.server.requests[0]?.socket.write(chunk(' two') + lastChunk)
  expect((await reader.next()).value?.map(({ value }) => value)).toMatchObject([
    { choices: [{ text: ' two' }] },
  ])
  expect((await reader.next()).value?.map(({ value }) => value)).toMatchObject([
    { choices: [{ finish_reason: 'stop' }] },
  ])
  expect((await reader.next()).done).toBe(true)
})

test('a reader of bare text who stops has the connection dropped', async () => {
  await using scene = await stage((socket) => {
    socket.write(streamHead(octets) + chunk('one'))
  }, settings)
  const sent = scene.upstream.send(call({ model: 'm', kind: 'text', stream: true }), startAttempt('m'))
  for await (const _ of sentBursts(sent)) break
  scene.server.requests[0]?.socket.write(chunk(' two'))
  await scene.server.idle()
})
