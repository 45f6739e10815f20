import { expect, test } from 'vitest'
import type { StateEntry } from '../../../src/core/model/journal.ts'
import { batchOf } from '../../../src/ledger/store/batch.ts'

const parts = [{ counter: 'key/a|2026-11', nanoUsd: 5 }]
const hold: StateEntry = { type: 'hold', id: 'a', at: 1, owner: 'n', parts, until: 9 }
const grow: StateEntry = { type: 'grow', id: 'a', at: 2, parts }
const settle: StateEntry = { type: 'settle', id: 'a', at: 3, charges: [] }
const lost: StateEntry = { ...settle, reason: 'expired' }

test.for([
  ['that begins', [hold], ['a'], []],
  ['that grows', [grow], ['a'], []],
  ['that begins and ends is not stored', [hold, settle], [], []],
  ['that begins, grows and ends is not stored', [hold, grow, settle], [], []],
  ['of an earlier batch that ends', [settle], [], ['a']],
  ['of an earlier batch that grows and ends', [grow, settle], [], ['a']],
  ['that another node lost', [hold, lost], [], ['a']],
] as const)('a hold %s', ([, entries, open, over]) => {
  const position = { segment: 1, offset: 0 }
  const { holds } = batchOf(
    entries.map((entry) => ({ text: JSON.stringify(entry), end: position })),
    position,
  )
  expect([...holds.open.keys()]).toEqual(open)
  expect([...holds.over]).toEqual(over)
})
