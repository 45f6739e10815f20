import { expect, test } from 'vitest'
import { packUsage, unpackUsage } from '../../../src/ledger/read/packed-usage.ts'

test.for([
  ['no rows', []],
  ['a row without names', [{ names: [], sums: [1, 2.5] }]],
  [
    'several rows',
    [
      { names: ['a', ''], sums: [1, 9_000_000_000_000_001] },
      { names: ['b', 'c'], sums: [0, -4] },
    ],
  ],
] as const)('%s are the same after they were packed and cloned', ([, rows]) => {
  const unpacked = unpackUsage(structuredClone(packUsage(rows)))
  expect(unpacked.map(({ names, sums }) => ({ names, sums: Array.from(sums) }))).toEqual(rows)
})
