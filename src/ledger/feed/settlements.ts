import type { ResolveEntry } from '../../core/model/journal.ts'
import type { CallLine } from '../../core/model/record/call-line.ts'
import type { FeedConnection } from './feed-connection.ts'

/**
 * `pending`: the node of the call is unreachable, and settles it when it returns. `unknown`: nothing of it is
 * uncertain.
 */
export type SettledElsewhere = 'settled' | 'pending' | 'unknown'

type Ask = Pick<FeedConnection, 'ask'>

/** Stores a settlement for the node of the call; the latest amount counts. False: it was already settled. */
export async function leaveSettlement({ ask }: Ask, entry: ResolveEntry): Promise<boolean> {
  return (await ask(leave, [entry.id, entry.at, JSON.stringify(entry)])).length > 0
}

/** Whether a node has settled it. */
export async function isSettled({ ask }: Ask, id: string): Promise<boolean> {
  const [row] = await ask<{ done: boolean }>(
    'select settled_by is not null as done from settlements_due where id = $1',
    [id],
  )
  return row?.done === true
}

/** Closes a settlement that no node has taken. It stays pending only if its call is uncertain. */
export async function closeUntaken({ ask }: Ask, id: string): Promise<SettledElsewhere> {
  const [call] = await ask<{ line: string }>(uncertainCall, [id])
  const attempts = call === undefined ? [] : (JSON.parse(call.line) as CallLine).attempts
  if (attempts.some(({ uncertain }) => uncertain)) return 'pending'
  const removed = await ask(remove, [id])
  return removed.length > 0 ? 'unknown' : 'settled'
}

/** Settles those of this node. `settle` returns false for a call of another node. */
export async function takeSettlements(
  { ask }: Ask,
  node: string,
  settle: (entry: ResolveEntry) => Promise<boolean>,
): Promise<void> {
  const rows = await ask<{ id: string; body: string }>(
    'select id, body from settlements_due where settled_by is null order by at',
    [],
  )
  for (const { id, body } of rows) {
    if (await settle(JSON.parse(body) as ResolveEntry))
      await ask('update settlements_due set settled_by = $1 where id = $2', [node, id])
  }
}

/** Closes those that a node settled without being able to record it, and deletes old ones. */
export async function tidySettlements({ ask }: Ask, nowEpochMs: number): Promise<void> {
  await ask(closeShipped, [])
  await ask('delete from settlements_due where settled_by is not null and at < $1', [nowEpochMs - keptMs])
}

const keptMs = 3_600_000

const leave =
  'insert into settlements_due (id, at, body) values ($1, $2, $3) on conflict (id) do update set ' +
  'at = excluded.at, body = excluded.body where settlements_due.settled_by is null returning id'

const remove = 'delete from settlements_due where id = $1 and settled_by is null returning id'

const uncertainCall =
  'select line from calls where id = $1 and not exists ' +
  "(select 1 from events where events.type = 'resolve' and events.id = calls.id)"

const closeShipped =
  "update settlements_due set settled_by = 'its node' where settled_by is null and exists " +
  "(select 1 from events where events.type = 'resolve' and events.id = settlements_due.id)"
