import { expect, test } from 'vitest'
import type { Failure } from '../../../src/core/model/failure.ts'
import { type RequestContext, readHttpError } from '../../../src/providers/http-error/http-error.ts'
import { startAttempt } from '../../harness/core/attempt.ts'
import { answer, chunk, startRawServer, streamHead } from '../../harness/raw-server.ts'
import { openWire, post } from '../../harness/wire.ts'

const asked: RequestContext = {
  provider: 'up',
  model: 'llama',
  key: 'ours',
  keySetting: 'UP_KEY',
  secrets: [],
  epochMs: 0,
}

async function refusalOf(bytes: Buffer | string, isEnd: boolean): Promise<Failure> {
  await using server = await startRawServer((socket) => (isEnd ? socket.end(bytes) : socket.write(bytes)))
  await using wire = openWire(server.origin)
  return await readHttpError(await post(wire, startAttempt()), asked)
}

test('an error has its body and its headers', async () => {
  const headers = { 'retry-after': '3' }
  expect(await refusalOf(answer('{"error":"Slow."}', { status: 429, headers }), false)).toMatchObject({
    kind: 'rate_limited',
    retryAfterMs: 3000,
    upstreamStatus: 429,
  })
  expect(await refusalOf(answer('{"error":"No."}', { status: 400 }), false)).toMatchObject({ message: 'No.' })
})

test.for([
  ['breaks off', streamHead({ status: 503 }) + chunk('{"err'), true],
  ['is far too long', streamHead({ status: 503 }) + chunk('x'.repeat(70_000)), false],
  ['is compressed', answer('xx', { status: 503, headers: { 'content-encoding': 'gzip' } }), false],
] as const)('an error whose body %s is what its status says', async ([, bytes, isEnd]) => {
  expect(await refusalOf(bytes, isEnd)).toMatchObject({ kind: 'overloaded', upstreamStatus: 503 })
})

test('a caller who leaves while an error is read has left', async () => {
  await using server = await startRawServer((socket) => socket.write(streamHead({ status: 503 })))
  await using wire = openWire(server.origin)
  const attempt = startAttempt()
  const reading = readHttpError(await post(wire, attempt), asked)
  attempt.controller.abort('gone')
  await expect(reading).rejects.toBe('gone')
})
