import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Failure } from '../../../src/core/model/failure.ts'
import { createSseDecoder } from '../../../src/providers/wire/sse.ts'

type Decoded = { readonly events: readonly string[]; readonly error: string | undefined }

function decode(pieces: readonly (string | Uint8Array)[], eventBytes = 1024 * 1024): Decoded {
  const decoder = createSseDecoder({ eventBytes, provider: 'up' })
  const events: string[] = []
  for (const piece of pieces) events.push(...decoder.push(Buffer.from(piece as string)))
  events.push(...decoder.end())
  return { events, error: decoder.error }
}

const readings: readonly (readonly [name: string, text: string, events: readonly string[]])[] = [
  ['one event', 'data: a\n\n', ['a']],
  ['several events', 'data: a\n\ndata: b\n\ndata: c\n\n', ['a', 'b', 'c']],
  ['CRLF', 'data: a\r\n\r\ndata: b\r\n\r\n', ['a', 'b']],
  ['CR alone', 'data: a\r\rdata: b\r\r', ['a', 'b']],
  ['line ends of every kind', 'data: a\r\n\ndata: b\n\rdata: c\r\r\n', ['a', 'b', 'c']],
  ['a byte-order mark', '\ufeffdata: a\n\n', ['a']],
  ['a byte-order mark that is none, for it is late', 'data: a\n\n\ufeffdata: b\n\n', ['a']],
  ['data without a space', 'data:a\n\n', ['a']],
  ['data with two spaces', 'data:  a\n\n', [' a']],
  ['data of several lines', 'data: a\ndata: b\n\n', ['a\nb']],
  ['data that is empty', 'data:\n\ndata\n\ndata: \n\n', ['', '', '']],
  ['empty lines of data', 'data\ndata\n\n', ['\n']],
  ['comments', ': keepalive\n\n:\ndata: a\n: b\n\n', ['a']],
  ['other fields', 'id: 1\nretry: 3000\nevent: message\nx: y\ndata: a\n\n', ['a']],
  ['a name that begins like data', 'database: a\ndata: b\n\n', ['b']],
  ['an event without data', 'event: ping\n\ndata: a\n\n', ['a']],
  ['blank lines', '\n\n\ndata: a\n\n\n\n', ['a']],
  ['a last event without its blank line', 'data: a\n\ndata: b\n', ['a', 'b']],
  ['a last line without its end', 'data: a\n\ndata: b', ['a', 'b']],
  ['line separators inside JSON', 'data: {"a":"\u2028\u2029\u0085"}\n\n', ['{"a":"\u2028\u2029\u0085"}']],
  ['a colon in the data', 'data: a: b\n\n', ['a: b']],
  ['nothing', '', []],
]

test.for(readings)('%s is read', ([, text, events]) => {
  expect(decode([text])).toEqual({ events, error: undefined })
})

test.for(readings)('%s is read byte by byte', ([, text, events]) => {
  expect(decode(bytesOf(text)).events).toEqual(events)
})

test('an event named error is reported separately, and ends the stream', () => {
  const text = 'data: a\n\nevent: error\ndata: {"message":"no"}\n\ndata: b\n\n'
  expect(decode([text])).toEqual({ events: ['a'], error: '{"message":"no"}' })
  expect(decode(bytesOf(text))).toEqual({ events: ['a'], error: '{"message":"no"}' })
})

test('the last name of an event counts, and only for that event', () => {
  expect(decode(['event: error\nevent: message\ndata: a\n\n']).error).toBeUndefined()
  expect(decode(['event: error\n\ndata: a\n\n'])).toEqual({ events: ['a'], error: undefined })
  expect(decode(['event: errors\ndata: a\n\n'])).toEqual({ events: ['a'], error: undefined })
})

test('an event is given as soon as its blank line is there, whatever ends the line', () => {
  for (const lineEnd of ['\n', '\r', '\r\n']) {
    const decoder = createSseDecoder({ eventBytes: 100, provider: 'up' })
    expect(decoder.push(Buffer.from(`data: a${lineEnd}`))).toEqual([])
    expect(decoder.push(Buffer.from(lineEnd))).toEqual(['a'])
  }
})

const lineEnds = fc.constantFrom('\n', '\r\n', '\r')
const lines = fc.oneof(
  { weight: 4, arbitrary: fc.string({ unit: 'grapheme', maxLength: 12 }).map((text) => `data: ${text}`) },
  fc.constantFrom(
    '',
    '',
    '',
    ':',
    ': note',
    'data',
    'data:',
    'id: 1',
    'event: message',
    'event: error',
    'dat',
    'x',
  ),
  fc.constantFrom('data:Grüße', 'data: 😀', 'data: \ufeff', 'data: {"a":"b"}'),
)
const streams = fc
  .tuple(fc.constantFrom('', '\ufeff'), fc.array(fc.tuple(lines, lineEnds), { maxLength: 30 }), lines)
  .map(([mark, pairs, last]) => mark + pairs.flat().join('') + last)

test('any stream is read as the standard reads it', () => {
  fc.assert(
    fc.property(streams, (text) => {
      expect(decode([text])).toEqual(reference(text))
    }),
    { numRuns: 2000 },
  )
})

test('any split of the bytes gives the same events', () => {
  fc.assert(
    fc.property(streams, fc.array(fc.nat(12), { minLength: 1 }), (text, sizes) => {
      expect(decode(split(Buffer.from(text), sizes))).toEqual(decode([text]))
    }),
    { numRuns: 2000 },
  )
})

const tooLong: readonly (readonly [name: string, text: string])[] = [
  ['a line', `data: ${'x'.repeat(59)}\n\n`],
  ['a line that never ends', 'x'.repeat(65)],
  ['a comment', `:${'x'.repeat(64)}\n`],
  ['the data of many lines', `${'data: 123456789\n'.repeat(7)}\n`],
  ['the data of many empty lines', `${'data\n'.repeat(66)}\n`],
  ['a character of several bytes too many', `data: ${'é'.repeat(30)}\n\n`],
]

test.for(tooLong)('%s beyond the limit is refused, however it is split', ([, text]) => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 80 }), { minLength: 1 }), (sizes) => {
      for (const pieces of [[Buffer.from(text)], split(Buffer.from(text), sizes)]) {
        expect(() => decode(pieces, 64)).toThrow(Failure)
      }
    }),
  )
  expect(() => decode([text], 64)).toThrow(/longer than 64 bytes/)
})

const longEnough: readonly (readonly [name: string, text: string])[] = [
  ['a line', `data: ${'x'.repeat(58)}\n\n`],
  ['events that are long together', `${'data: 123456789\n\n'.repeat(20)}`],
  ['the data of many lines', `${'data: 123456789\n'.repeat(6)}\n`],
  ['comments that are long together', `${': 123456789\n'.repeat(20)}`],
]

test.for(longEnough)('%s within the limit is not', ([, text]) => {
  expect(() => decode([text], 64)).not.toThrow()
  expect(() => decode(bytesOf(text), 64)).not.toThrow()
})

test('an endless line is refused as soon as it has passed the limit', () => {
  const decoder = createSseDecoder({ eventBytes: 1024, provider: 'up' })
  const piece = Buffer.alloc(512, 'x')
  decoder.push(piece)
  decoder.push(piece)
  expect(() => decoder.push(piece)).toThrow(
    expect.objectContaining({ kind: 'invalid_response', provider: 'up' }),
  )
})

function bytesOf(text: string): readonly Uint8Array[] {
  return Array.from(Buffer.from(text), (byte) => Buffer.of(byte))
}

/** Pieces of the given sizes, over and over; a size of 0 is an empty read. */
function split(bytes: Buffer, sizes: readonly number[]): readonly Buffer[] {
  const pieces: Buffer[] = []
  const steps = sizes.some((size) => size > 0) ? sizes : [1]
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = steps[turn % steps.length]!
    pieces.push(bytes.subarray(at, at + size))
    at += size
  }
  return pieces
}

/** The same, written for clarity alone: the whole text at once, line by line. */
function reference(text: string): Decoded {
  const events: string[] = []
  let data: string[] = []
  let name = ''
  for (const line of [...text.replace(/^\ufeff/, '').split(/\r\n|\r|\n/), '', '']) {
    if (line === '') {
      if (data.length > 0 && name === 'error') return { events, error: data.join('\n') }
      if (data.length > 0) events.push(data.join('\n'))
      data = []
      name = ''
      continue
    }
    const [, field, value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line)!
    if (field === 'data') data.push(value)
    if (field === 'event') name = value
  }
  return { events, error: undefined }
}
