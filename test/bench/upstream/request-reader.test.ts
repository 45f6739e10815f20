import { expect, test } from 'vitest'
import { createRequestReader } from '../../../bench/upstream/request-reader.ts'

const wire = Buffer.from(
  'POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\nContent-Length: 13\r\n\r\n{"a":"b\\r\\n"}' +
    'POST /empty HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n' +
    'POST /api/inference HTTP/1.1\r\ncontent-length: 2\r\n\r\n{}',
)

function readAll(pieces: readonly Buffer[]): readonly string[] {
  const requests: string[] = []
  const read = createRequestReader((path, body) => requests.push(`${path} ${body}`))
  for (const piece of pieces) read(piece)
  return requests
}

test('requests on one connection are read the same however they are split', () => {
  const expected = ['/v1/chat/completions {"a":"b\\r\\n"}', '/empty ', '/api/inference {}']
  expect(readAll([wire])).toEqual(expected)
  expect(readAll([...wire].map((byte) => Buffer.from([byte])))).toEqual(expected)
  for (let cut = 1; cut < wire.length; cut += 1) {
    expect(readAll([wire.subarray(0, cut), wire.subarray(cut)])).toEqual(expected)
  }
})

test('a body that does not tell its length is refused', () => {
  expect(() => readAll([Buffer.from('POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n')])).toThrow()
})
