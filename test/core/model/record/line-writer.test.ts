import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeLine, LineWriter } from '../../../../src/core/model/record/line-writer.ts'

describe('a line is written as JSON.stringify writes', () => {
  test('any string', () => {
    const texts = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.string({ maxLength: 6000 }))
    fc.assert(
      fc.property(texts, (text) => {
        expect(written((line) => line.quote(text))).toBe(JSON.stringify(text))
      }),
    )
  })

  test('any number', () => {
    const bounds = [0, -0, 9, 10, 99, 100, 999_999_999, 1e9, 1e9 - 0.5, 2 ** 31, 2 ** 53, 1e21, -1, -1e21]
    for (const bound of bounds) expectNumber(bound)
    fc.assert(fc.property(fc.oneof(fc.double(), fc.integer(), fc.maxSafeInteger()), expectNumber))
  })

  test('any number of milliseconds, in hundredths', () => {
    const inHundredths = (ms: number) => {
      expect(written((line) => line.hundredths(ms))).toBe(JSON.stringify(Math.round(ms * 100) / 100))
    }
    for (const ms of [0, 0.01, 0.1, 0.11, 1, 1.1, 10, 9_999_999.99, 9_999_999.996, 1e7]) inHundredths(ms)
    fc.assert(fc.property(fc.double({ min: 0, max: 2e7 }), inHundredths))
    fc.assert(fc.property(fc.double(), inHundredths))
  })
})

test('parts follow one another, however long the line becomes', () => {
  const parts = fc.array(fc.oneof(fc.string({ maxLength: 3000 }), fc.integer()))
  const line = new LineWriter()
  fc.assert(
    fc.property(parts, (values) => {
      line.clear()
      for (const value of values) {
        if (typeof value === 'string') line.quote(value)
        else line.number(value)
        line.put(comma)
      }
      expect(decodeLine(line)).toBe(values.map((value) => `${JSON.stringify(value)},`).join(''))
    }),
  )
})

function expectNumber(value: number): void {
  expect(written((line) => line.number(value))).toBe(JSON.stringify(value))
}

function written(write: (line: LineWriter) => void): string {
  const line = new LineWriter()
  write(line)
  return decodeLine(line)
}

const comma = Buffer.from(',')
