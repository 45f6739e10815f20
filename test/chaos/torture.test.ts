import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Call, Delta } from '../../src/core/model/call.ts'
import { Failure } from '../../src/core/model/failure.ts'
import type { Kind } from '../../src/core/model/terms.ts'
import { createNormalizer } from '../../src/core/reply/normalize.ts'
import { createOpenAiStream } from '../../src/dialects/openai/stream.ts'
import { createChunkReader } from '../../src/providers/openai/answer.ts'
import { chunkText, endChoice, usageOf, wordChoice } from './upstream/answer.ts'

/** What a caller gets of an upstream's bytes: its frames, and why they ended. */
type Told = { readonly frames: string; readonly failure: string | undefined }

const kinds = fc.constantFrom<Kind>('text', 'chat')

/** Words with characters of one to four bytes, line separators that are none, and what looks like the protocol. */
const words = fc.array(
  fc.oneof(
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }),
    fc.constantFrom(
      'é',
      '漢',
      '😀',
      '\u2028',
      '\u0085',
      '\ufeff',
      'data: ',
      '[DONE]',
      '\r\n',
      '\n\n',
      ':',
      '"',
      '\\',
    ),
  ),
  { minLength: 1, maxLength: 12 },
)

const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 })

/** One way to write a stream: all of them mean the same. */
const styles = fc.record({
  mark: fc.boolean(),
  lineEnds: fc.array(fc.constantFrom('\n', '\r\n', '\r'), { minLength: 1, maxLength: 7 }),
  space: fc.boolean(),
  between: fc.array(fc.constantFrom('', ':', ': keepalive', 'id: 7', 'retry: 10', 'event: message', 'x'), {
    maxLength: 6,
  }),
  isFolded: fc.boolean(),
})

type Style = typeof styles extends fc.Arbitrary<infer Value> ? Value : never

const plain: Style = { mark: false, lineEnds: ['\n'], space: true, between: [], isFolded: false }

describe('a stream', () => {
  test('says the same in whatever lines it is written, and however its bytes are split', () => {
    fc.assert(
      fc.property(kinds, words, styles, sizes, (kind, said, style, steps) => {
        const events = eventsOf(kind, said)
        const told = tell(kind, split(Buffer.from(written(events, style)), steps))
        expect(told).toEqual(tell(kind, [Buffer.from(written(events, plain))]))
        expect(told.failure).toBeUndefined()
        expect(textOf(told)).toBe(said.join(''))
      }),
      { numRuns: 1000 },
    )
  })

  test('that is cut at any byte is whole only when its end was said, and what it told is how the whole begins', () => {
    fc.assert(
      fc.property(
        kinds,
        words,
        styles,
        fc.double({ min: 0, max: 1, noNaN: true }),
        (kind, said, style, part) => {
          const events = eventsOf(kind, said)
          const bytes = Buffer.from(written(events, style))
          const whole = tell(kind, [bytes])
          const told = tell(kind, [bytes.subarray(0, Math.floor(bytes.length * part))])
          expect(textOf(whole).startsWith(textOf(told))).toBe(true)
          if (told.failure === undefined) expect(textOf(told)).toBe(said.join(''))
          else expect(told.frames).not.toContain('"finish_reason":"stop"')
        },
      ),
      { numRuns: 1000 },
    )
  })

  test('with a byte that is another ends in an answer or in a Failure, never otherwise', () => {
    fc.assert(
      fc.property(kinds, words, fc.nat(), fc.nat(255), (kind, said, at, byte) => {
        const bytes = Buffer.from(written(eventsOf(kind, said), plain))
        bytes[at % bytes.length] = byte
        expect(() => tell(kind, [bytes])).not.toThrow()
      }),
      { numRuns: 2000 },
    )
  })
})

function eventsOf(kind: Kind, said: readonly string[]): readonly string[] {
  const opening = kind === 'chat' ? [chunkText(kind, 'm', { delta: { role: 'assistant', content: '' } })] : []
  const spoken = said.map((word) => chunkText(kind, 'm', wordChoice(kind, word)))
  const end = chunkText(kind, 'm', endChoice(kind), { usage: usageOf(3, said.length) })
  return [...opening, ...spoken, end, '[DONE]']
}

function written(events: readonly string[], style: Style): string {
  let line = 0
  let last = ''
  const ended = (text: string) => {
    const end = style.lineEnds[line++ % style.lineEnds.length]!
    // An empty line that LF ends, right after a CR, would be the rest of a CRLF.
    last = text === '' && last === '\r' && end === '\n' ? '\r' : end
    return text + last
  }
  const field = (text: string) => ended(`data:${style.space ? ' ' : ''}${text}`)
  const frames = events.map((event, at) => {
    const between = style.between.length === 0 ? undefined : style.between[at % style.between.length]
    // JSON may be broken where it has a space: a comma before a name is such a place.
    const parts = style.isFolded ? event.split(/(?<=,)(?="object")/) : [event]
    return `${between === undefined ? '' : ended(between)}${parts.map(field).join('')}${ended('')}`
  })
  return `${style.mark ? '\ufeff' : ''}${frames.join('')}`
}

function split(bytes: Buffer, steps: readonly number[]): readonly Buffer[] {
  const pieces: Buffer[] = []
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = steps[turn % steps.length]!
    pieces.push(bytes.subarray(at, at + size))
    at += size
  }
  return pieces
}

/** The way of an upstream's bytes to a caller, all but the sockets. */
function tell(kind: Kind, pieces: readonly Buffer[]): Told {
  const reader = createChunkReader('up')
  const normalizer = createNormalizer({
    ...{ kind, stream: true, id: 'up-1', createdEpochSeconds: 1, model: 'm', flags: new Set<string>() },
  })
  const encoder = createOpenAiStream({ includeUsage: false } as Call)
  const deltas: Delta[] = []
  let failure: string | undefined
  try {
    for (const piece of pieces) {
      deltas.push(...normalizer.accept(reader.read(piece)))
      if (reader.done || reader.failure !== undefined) break
    }
    if (!reader.done && reader.failure === undefined) deltas.push(...normalizer.accept(reader.end()))
    if (reader.failure !== undefined) throw reader.failure
    normalizer.finish()
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown
    // What comes after the end of every choice may be missed.
    if (thrown.kind !== 'interrupted' || !normalizer.isFinished()) failure = thrown.kind
  }
  // The frames of a piece depend on how it was split: one delta at a time, they do not.
  return { frames: deltas.map((delta) => encoder.encode([delta])).join(''), failure }
}

function textOf({ frames }: Told): string {
  const chunks = frames.split('\n\n').filter((frame) => frame !== '')
  return chunks
    .map((frame) => {
      const { choices } = JSON.parse(frame.slice('data: '.length)) as {
        choices: { text?: string; delta?: { content?: string | null } }[]
      }
      return choices[0]?.text ?? choices[0]?.delta?.content ?? ''
    })
    .join('')
}
