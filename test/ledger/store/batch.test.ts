import { expect, test } from 'vitest'
import type { StateEntry } from '../../../src/core/model/journal.ts'
import { batchOf } from '../../../src/ledger/store/batch.ts'

const parts = [{ counter: 'key/a|2026-11', nanoUsd: 5 }]
const hold: StateEntry = { type: 'hold', id: 'a', at: 1, owner: 'n', parts, until: 9 }
const grow: StateEntry = { type: 'grow', id: 'a', at: 2, parts }
const settle: StateEntry = { type: 'settle', id: 'a', at: 3, charges: [] }
const lost: StateEntry = { ...settle, reason: 'expired' }

const doubt: StateEntry = {
  ...settle,
  charges: [{ counter: 'key/a|2026-11', spentNanoUsd: 0, uncertainNanoUsd: 5 }],
}
const resolve: StateEntry = { type: 'resolve', id: 'a', at: 4, actor: 'o', nanoUsd: 3, reason: 'r' }
const release: StateEntry = { type: 'release', id: 'a', at: 4 }

test.for([
  ['that is certain leaves nothing', [hold, settle], [], [], 0],
  ['that is not certain is kept', [hold, doubt], ['a'], [], 0],
  ['that becomes certain is not kept', [hold, doubt, resolve], [], ['a'], 1],
  ['of an earlier batch becomes certain', [resolve], [], ['a'], 1],
  ['that another node counts is not kept, and is no event', [release], [], ['a'], 0],
] as const)('a settlement %s', ([, entries, uncertain, certain, count]) => {
  const { doubts, events } = batch(entries)
  expect([...doubts.uncertain.keys()]).toEqual(uncertain)
  expect([...doubts.certain]).toEqual(certain)
  expect(events).toHaveLength(count)
})

test.for([
  ['that begins', [hold], ['a'], []],
  ['that grows', [grow], ['a'], []],
  ['that begins and ends is not stored', [hold, settle], [], []],
  ['that begins, grows and ends is not stored', [hold, grow, settle], [], []],
  ['of an earlier batch that ends', [settle], [], ['a']],
  ['of an earlier batch that grows and ends', [grow, settle], [], ['a']],
  ['that another node lost', [hold, lost], [], ['a']],
] as const)('a hold %s', ([, entries, open, over]) => {
  const { holds } = batch(entries)
  expect([...holds.open.keys()]).toEqual(open)
  expect([...holds.over]).toEqual(over)
})

function batch(entries: readonly StateEntry[]) {
  const position = { segment: 1, offset: 0 }
  return batchOf(
    entries.map((entry) => ({ text: JSON.stringify(entry), end: position })),
    position,
  )
}
