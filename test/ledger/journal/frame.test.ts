import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { frameOf, readFrames } from '../../../src/ledger/journal/frame.ts'

const textsOf = (bytes: Buffer, isAll = true) => readFrames(bytes, isAll).frames.map(({ text }) => text)
const line = fc.string({ unit: 'binary' }).map((text) => JSON.stringify(text))

test('written frames are read back', () => {
  fc.assert(
    fc.property(fc.array(line), (texts) => {
      const bytes = Buffer.concat(texts.map(frameOf))
      expect(readFrames(bytes, false)).toMatchObject({ end: bytes.length, damaged: 0 })
      expect(textsOf(bytes)).toEqual(texts)
    }),
  )
})

test('a frame is a readable line', () => {
  expect(frameOf('{"type":"grow"}').toString()).toBe('0000000f e4056039 {"type":"grow"}\n')
})

test('cut anywhere, the frames before are complete, and nothing is invented', () => {
  fc.assert(
    fc.property(fc.array(line, { minLength: 1 }), fc.nat(), (texts, place) => {
      const frames = texts.map(frameOf)
      const bytes = Buffer.concat(frames)
      const cut = bytes.subarray(0, place % bytes.length)
      let whole = 0
      for (let end = 0; end + (frames[whole]?.length ?? 0) <= cut.length; whole++)
        end += frames[whole]?.length ?? 0
      expect(textsOf(cut)).toEqual(texts.slice(0, whole))
      const { end, damaged } = readFrames(cut, false)
      expect([textsOf(cut, false).length, damaged]).toEqual([whole, 0])
      expect(end).toBe(Buffer.concat(frames.slice(0, whole)).length)
    }),
  )
})

describe('damage', () => {
  test('of any byte loses only its own line, or the one it joins with', () => {
    fc.assert(
      fc.property(
        fc.array(line, { minLength: 3, maxLength: 8 }),
        fc.nat(),
        fc.nat(),
        (texts, place, value) => {
          const bytes = Buffer.concat(texts.map(frameOf))
          const at = place % bytes.length
          fc.pre(bytes[at] !== value % 256)
          bytes[at] = value % 256
          const read = textsOf(bytes)
          expect(read.length).toBeGreaterThanOrEqual(texts.length - 2)
          for (const text of read) expect(texts).toContain(text)
        },
      ),
    )
  })

  test.for<[string, string]>([
    ['of zeros', '\0'.repeat(64)],
    ['of a length beyond all', 'ffffffff 00000000 {}'],
    ['of a sum that is another', '00000002 00000000 {}'],
    ['of text', 'not a frame'],
  ])('%s is skipped up to the next line', ([, damage]) => {
    const bytes = Buffer.concat([frameOf('1'), Buffer.from(`${damage}\n`), frameOf('2')])
    expect(textsOf(bytes)).toEqual(['1', '2'])
    expect(readFrames(bytes, true).damaged).toBe(damage.length + 1)
  })
})
