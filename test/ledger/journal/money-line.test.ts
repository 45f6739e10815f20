import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeLine, LineWriter } from '../../../src/core/model/record/line-writer.ts'
import { isMoneyLine, type MoneyEntry, writeMoneyLine } from '../../../src/ledger/journal/money-line.ts'

const nanoUsd = fc.maxSafeInteger().map(Math.abs)
const stamps = { id: fc.string({ unit: 'binary' }), at: fc.integer({ min: 0, max: 4e12 }) }
const parts = fc.array(fc.record({ counter: fc.string(), nanoUsd }))
const charges = fc.array(
  fc.record({ counter: fc.string(), spentNanoUsd: nanoUsd, uncertainNanoUsd: nanoUsd }),
)
const until = fc.double({ min: 0, max: 4e12, noNaN: true })

test.for<[string, fc.Arbitrary<MoneyEntry>]>([
  ['hold', fc.record({ type: fc.constant('hold' as const), ...stamps, owner: fc.string(), until, parts })],
  ['grow', fc.record({ type: fc.constant('grow' as const), ...stamps, parts })],
  ['settle', fc.record({ type: fc.constant('settle' as const), ...stamps, charges })],
  [
    'settle with a reason',
    fc.record({
      ...{ type: fc.constant('settle' as const), ...stamps, charges },
      reason: fc.constantFrom('crash' as const, 'expired' as const, undefined),
    }),
  ],
])('a %s is written as JSON.stringify writes it', ([, entries]) => {
  const line = new LineWriter()
  fc.assert(
    fc.property(entries, (entry) => {
      line.clear()
      writeMoneyLine(entry, line)
      expect(decodeLine(line)).toBe(JSON.stringify(entry))
      expect(isMoneyLine(decodeLine(line))).toBe(true)
    }),
  )
})

test.for(['call', 'resolve', 'release', 'override', 'admin'])('a line of type %s is none of them', (type) => {
  expect(isMoneyLine(JSON.stringify({ type, id: 'a', at: 1 }))).toBe(false)
})
