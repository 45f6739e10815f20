import { expect, test } from 'vitest'
import { createReplyReader } from '../../../bench/load/reply-reader.ts'

const sized = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nconnection: keep-alive\r\n\r\nhello'
const empty = 'HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n'
const chunked =
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n \r\nA\r\nout there\n\r\n0\r\n\r\n'

function readAll(pieces: readonly Buffer[]): readonly string[] {
  const replies: string[] = []
  let body = ''
  const read = createReplyReader({
    head: (status) => {
      body = `${status} `
    },
    body: (bytes) => {
      body += bytes.toString()
    },
    end: () => replies.push(body),
  })
  for (const piece of pieces) read(piece)
  return replies
}

test('three replies on one connection are read the same however two cuts split them', () => {
  const wire = Buffer.from(sized + empty + chunked + sized)
  const expected = ['200 hello', '204 ', '200 hello out there\n', '200 hello']
  expect(readAll([wire])).toEqual(expected)
  for (let first = 1; first < wire.length; first += 1) {
    for (let second = first; second < wire.length; second += 7) {
      const pieces = [wire.subarray(0, first), wire.subarray(first, second), wire.subarray(second)]
      expect(readAll(pieces)).toEqual(expected)
    }
  }
})

test('a reply that arrives byte by byte is read', () => {
  const bytes = [...Buffer.from(chunked)].map((byte) => Buffer.from([byte]))
  expect(readAll(bytes)).toEqual(['200 hello out there\n'])
})

test.for([
  ['something that is not HTTP', 'SSH-2.0-OpenSSH\r\n\r\n'],
  ['a body of unknown length', 'HTTP/1.1 200 OK\r\nx: y\r\n\r\nhello'],
  ['a chunk without a size', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n'],
] as const)('%s is refused', ([, wire]) => {
  expect(() => readAll([Buffer.from(wire)])).toThrow()
})
