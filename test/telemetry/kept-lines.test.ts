import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeLine } from '../../src/core/model/record/line-writer.ts'
import { createKeptLines } from '../../src/telemetry/kept-lines.ts'

test('a line is returned unchanged, with its number and its owner', () => {
  const kept = createKeptLines({ lines: 4, bytes: 1000 })
  kept.keep(encodeLine('a: é😀"\n'), 1.5, 'me')
  expect(kept.findLast('a:')).toEqual({ line: 'a: é😀"\n', stamp: 1.5, owner: 'me' })
})

test('a line is not found by a text longer than itself', () => {
  const kept = createKeptLines({ lines: 4, bytes: 1000 })
  kept.keep(encodeLine('ab'), 0)
  kept.keep(encodeLine('cd'), 0)
  expect(kept.findLast('ab')).toBeDefined()
  expect(kept.findLast('abc')).toBeUndefined()
  expect(kept.findLast('b')).toBeUndefined()
})

test('a line longer than the buffer is not kept, and evicts nothing', () => {
  const kept = createKeptLines({ lines: 4, bytes: 30 })
  kept.keep(encodeLine('ab'), 0)
  kept.keep(encodeLine('x'.repeat(31)), 0)
  expect(kept.findLast('ab')).toBeDefined()
  expect(kept.findLast('x')).toBeUndefined()
})

test('for any lines, the latest ones are found completely, as many as fit', () => {
  const words = fc.array(fc.string({ unit: 'grapheme', maxLength: 30 }), { maxLength: 60 })
  fc.assert(
    fc.property(
      words,
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 400 }),
      (texts, lines, bytes) => {
        const kept = createKeptLines({ lines, bytes })
        const fitting: string[] = []
        for (const [at, text] of texts.entries()) {
          const line = `${at}:${text}`
          kept.keep(encodeLine(line), at)
          if (Buffer.byteLength(line) <= bytes) fitting.push(line)
          const found = fitting.map((each) => kept.findLast(`${each.split(':')[0]}:`)?.line)
          const first = found.findIndex((each) => each !== undefined)
          const there = first === -1 ? [] : fitting.slice(first)
          expect(found.slice(found.length - there.length)).toEqual(there)
          // Only the end of the buffer stays empty, and a line that overlaps the latest one is dropped.
          const least = leastKept(fitting, lines, bytes)
          expect(there.length).toBeGreaterThanOrEqual(least)
          expect(there.length).toBeLessThanOrEqual(lines)
        }
      },
    ),
    { numRuns: 400 },
  )
})

/** Half of the buffer holds the latest lines in one piece, at any start. */
function leastKept(lines: readonly string[], most: number, bytes: number): number {
  let room = Math.floor(bytes / 2)
  let count = 0
  for (const line of lines.toReversed()) {
    room -= Buffer.byteLength(line)
    if (room < 0 || count === most) break
    count++
  }
  return Math.max(count, lines.length > 0 ? 1 : 0)
}
