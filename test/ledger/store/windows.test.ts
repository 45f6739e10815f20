import { expect, test } from 'vitest'
import { windowsOf } from '../../../src/ledger/store/postgres/windows.ts'
import { dayMs } from '../../../src/ledger/store/rollup.ts'

const days = (...numbers: readonly number[]) => numbers.map((day) => day * dayMs)

test.for<[string, readonly number[], { from: number; to: number | undefined }, readonly unknown[]]>([
  ['no day', [], { from: 5, to: undefined }, [[5, undefined]]],
  ['two days', days(3, 4), { from: 0, to: undefined }, [[0, undefined]]],
  [
    'a day beside others',
    days(1, 2, 3, 4),
    { from: 3 * dayMs + 1, to: 4 * dayMs },
    [[3 * dayMs + 1, 4 * dayMs]],
  ],
  [
    'more days, in no order and with gaps',
    days(1, 9, 2, 7, 20, 3, 6, 5, 8, 4),
    { from: 0, to: undefined },
    [
      [9 * dayMs, undefined],
      [5 * dayMs, 9 * dayMs],
      [0, 5 * dayMs],
    ],
  ],
  [
    'as many days as fill the windows',
    days(1, 2, 3, 4, 5, 6),
    { from: dayMs, to: 7 * dayMs },
    [
      [5 * dayMs, 7 * dayMs],
      [dayMs, 5 * dayMs],
    ],
  ],
])('the windows over %s cover the span, the latest first', ([, known, span, expected]) => {
  expect(windowsOf(known, span).map(({ from, to }) => [from, to])).toEqual(expected)
})
