import { expect, test } from 'vitest'
import { createMemoryJournal, type JournalEntry } from '../../../src/core/model/journal.ts'

test('a journal in memory keeps its lines in order', async () => {
  const journal = createMemoryJournal()
  const lines: JournalEntry[] = [
    {
      ...{ type: 'hold', id: 'req_1', at: 1, owner: 'node', until: 9 },
      parts: [{ counter: 'b/2026-11', nanoUsd: 5 }],
    },
    { type: 'grow', id: 'req_1', at: 2, parts: [{ counter: 'b/2026-11', nanoUsd: 8 }] },
    {
      ...{ type: 'settle', id: 'req_1', at: 3 },
      charges: [{ counter: 'b/2026-11', spentNanoUsd: 6, uncertainNanoUsd: 0 }],
    },
  ]
  for (const line of lines) journal.append(line)
  await journal.written()
  await journal.durable()
  expect(journal.entries).toEqual(lines)
})
