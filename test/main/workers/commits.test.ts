import { expect, test } from 'vitest'
import { type Commit, createCommits } from '../../../src/main/workers/commits.ts'
import type { Peer } from '../../../src/state/primary/peer.ts'

test('a hold is settled with the lines of its call, and not before', async () => {
  const { primary, sent, answer } = createPrimary()
  const { journal, settle } = createCommits(primary)
  const at = 1
  journal.append({ type: 'hold', id: 'one', at, owner: 'worker', parts: [], until: at })
  const safe = journal.durable()
  await Promise.resolve()
  expect(sent).toHaveLength(1)
  // The call ends while that message is on its way.
  journal.append({ type: 'settle', id: 'one', at, charges: [] })
  const settled = settle('one', [{ counter: 'key', spentNanoUsd: 7, uncertainNanoUsd: 0 }])
  await new Promise(setImmediate)
  expect(sent).toHaveLength(1)
  answer()
  await safe
  await new Promise(setImmediate)
  expect(sent.map(({ entries }) => entries.map(({ type }) => type))).toEqual([['hold'], ['settle']])
  expect(sent.map(({ settlements }) => settlements.map(({ hold }) => hold))).toEqual([[], ['one']])
  answer()
  expect(await settled).toBe(true)
})

/** A primary that answers each message when `answer` is called. */
function createPrimary() {
  const sent: Commit[] = []
  const waiting: (() => void)[] = []
  const primary: Peer = {
    ask(_method, commit) {
      sent.push(commit as Commit)
      return new Promise((resolve) => waiting.push(() => resolve(true)))
    },
    tell() {},
    serve() {},
    hurry() {},
    turn: 0,
    end() {},
  }
  return { primary, sent, answer: () => waiting.shift()?.() }
}
