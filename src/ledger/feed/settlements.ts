import type { ResolveEntry, SettleEntry } from '../../core/model/journal.ts'
import type { CallLine } from '../../core/model/record/call-line.ts'
import type { FeedConnection } from './feed-connection.ts'
import type { NodeMoney } from './node-money.ts'

/**
 * Settlements that one node stores in the database for another. A node first takes a settlement (`taken_by`). Only one
 * node can: it counts the cost in its budgets, also after a restart. When it is done, it sets `settled_by`.
 */

/** `pending`: the node of the call is unreachable. `unknown`: nothing of it is uncertain. */
export type SettledElsewhere = 'settled' | 'pending' | 'unknown'

export type Ask = Pick<FeedConnection, 'ask'>

/** Stores a settlement for the node of the call; the latest amount counts. False: it was taken or settled before. */
export async function leaveSettlement({ ask }: Ask, entry: ResolveEntry): Promise<boolean> {
  return (await ask(leave, [entry.id, entry.at, JSON.stringify(entry)])).length > 0
}

/** Whether a node has settled it; undefined: there is no such settlement. */
export async function isSettled({ ask }: Ask, id: string): Promise<boolean | undefined> {
  const [row] = await ask<{ done: boolean }>(
    'select settled_by is not null as done from settlements_due where id = $1',
    [id],
  )
  return row?.done
}

/** How far a settlement is. One that waits for no node is settled at once. */
export async function progressOf(
  connection: Ask,
  node: string,
  money: NodeMoney,
  id: string,
): Promise<SettledElsewhere> {
  const [due] = await connection.ask<ProgressRow>(progress, [id])
  if (due === undefined) return 'unknown'
  if (due.is_settled) return 'settled'
  if (due.is_awaited) return 'pending'
  return (await settleUncounted(connection, node, money, { id, ...due })) ? 'settled' : 'unknown'
}

/** Takes a settlement back that no node has taken. */
export async function withdraw({ ask }: Ask, id: string): Promise<SettledElsewhere> {
  return (await ask(remove, [id])).length > 0 ? 'unknown' : 'settled'
}

/**
 * Settles a call that no budget counts, or none that the database knows of: in the reports only. A node that counts it
 * after all charges itself when it sees this. False: nothing of it is uncertain.
 */
export async function settleUncounted(
  { ask }: Ask,
  node: string,
  money: NodeMoney,
  { id, body, line }: { readonly id: string; readonly body: string; readonly line: string | null },
): Promise<boolean> {
  const attempts = line === null ? [] : (JSON.parse(line) as CallLine).attempts
  if (!attempts.some(({ uncertain }) => uncertain)) return false
  await money.settleLost(JSON.parse(body) as ResolveEntry, [])
  await ask(markSettled, [node, id])
  return true
}

/** Settles those of this node, and those that it has taken from one that is gone. */
export async function takeSettlements({ ask }: Ask, node: string, money: NodeMoney): Promise<void> {
  for (const due of await ask<DueRow>(open, [node])) {
    const { id } = due
    let body: string | undefined = due.body
    if (due.taken_by === null)
      body = money.isUncertain(id) ? (await ask<DueRow>(take, [node, id]))[0]?.body : undefined
    if (body === undefined) continue
    const entry = JSON.parse(body) as ResolveEntry
    // This node's process may have ended after it settled the call, and before it set `settled_by`.
    if (!money.hasSettled(id) && !(await money.settle(entry)))
      await money.settleLost(entry, await chargesOf({ ask }, id))
    await ask('update settlements_due set settled_by = $1 where id = $2', [node, id])
  }
}

/** Closes those that a node settled without taking them, and deletes old ones. */
export async function tidySettlements({ ask }: Ask, nowEpochMs: number): Promise<void> {
  await ask(closeShipped, [])
  await ask('delete from settlements_due where settled_by is not null and at < $1', [nowEpochMs - keptMs])
}

/** Closes a settlement that is in the reports. */
export const markSettled = 'update settlements_due set settled_by = $1 where id = $2 and settled_by is null'

type DueRow = { readonly id: string; readonly body: string; readonly taken_by: string | null }

type ProgressRow = {
  readonly body: string
  /** Of the call, unless it is settled in the reports. */
  readonly line: string | null
  readonly is_settled: boolean
  /** A node counts it, or has taken it. */
  readonly is_awaited: boolean
}

/** A node that was gone for up to this long still learns which node counts a call. */
const keptMs = 100 * 86_400_000

async function chargesOf({ ask }: Ask, id: string): Promise<SettleEntry['charges']> {
  const [row] = await ask<{ body: string }>('select body from uncertain_calls where id = $1', [id])
  return row === undefined ? [] : (JSON.parse(row.body) as SettleEntry).charges
}

const leave =
  'insert into settlements_due (id, at, body) select $1::text, $2::bigint, $3::text where not exists ' +
  "(select 1 from events where events.type = 'resolve' and events.id = $1) " +
  'on conflict (id) do update set at = excluded.at, body = excluded.body ' +
  'where settlements_due.settled_by is null and settlements_due.taken_by is null returning id'

const remove =
  'delete from settlements_due where id = $1 and settled_by is null and taken_by is null returning id'

/** Of those that another node has put into the reports, the one that took them must still count the cost. */
const open =
  'select id, body, taken_by from settlements_due where (settled_by is null and taken_by is null) ' +
  'or (taken_by = $1 and settled_by is distinct from $1) order by at'

const take =
  'update settlements_due set taken_by = $1 where id = $2 and settled_by is null and taken_by is null returning body'

const progress =
  'select due.body, calls.line, due.settled_by is not null as is_settled, ' +
  'due.taken_by is not null or uncertain_calls.id is not null as is_awaited from settlements_due due ' +
  'left join uncertain_calls on uncertain_calls.id = due.id left join calls on calls.id = due.id and not exists ' +
  "(select 1 from events where events.type = 'resolve' and events.id = due.id) where due.id = $1"

const closeShipped =
  "update settlements_due set settled_by = 'its node' where settled_by is null and taken_by is null and exists " +
  "(select 1 from events where events.type = 'resolve' and events.id = settlements_due.id)"
