import type { GrowEntry, HoldEntry, ResolveEntry } from '../../core/model/journal.ts'
import type { OpenHold } from '../../core/model/shared/state.ts'
import type { NodeMoney } from './node-money.ts'
import { type Ask, markSettled, settleUncounted, takeSettlements } from './settlements.ts'

/**
 * Takes over what nodes left that are gone: their holds, and the settlements that wait for them. A node is gone if the
 * database has not heard of it for a minute.
 */
export async function takeOver(connection: Ask, node: string, money: NodeMoney): Promise<void> {
  const { ask } = connection
  await ask(knowOwners, [])
  const holds = await ask<{ id: string; body: string }>(takeHolds, [node, goneAfter])
  if (holds.length > 0) await money.takeHolds(holds.map(holdOf))
  const taken = await ask(takeLost, [node, goneAfter])
  if (taken.length > 0) await takeSettlements(connection, node, money)
  await finish(connection, node, money)
}

/**
 * Ends what is uncertain at this node of calls that another node has taken over, because this one was held to be gone,
 * and settles what waited for it meanwhile.
 */
export async function yieldTaken({ ask }: Ask, node: string, money: NodeMoney): Promise<void> {
  const uncertain = money.uncertain()
  if (uncertain.length === 0) return
  for (const { id, body, is_ours: isOurs } of await ask<OwnRow>(takenByOthers, [[...uncertain], node])) {
    if (isOurs && body !== null) await money.settle(JSON.parse(body) as ResolveEntry)
    else await money.release(id)
  }
}

/** Settles in the reports what no other node will: the node that took it is gone, or no node counts it. */
async function finish(connection: Ask, node: string, money: NodeMoney): Promise<void> {
  for (const due of await connection.ask<LeftRow>(left, [node, goneAfter])) {
    if (due.is_stored) {
      await connection.ask(markSettled, [node, due.id])
    } else if (due.is_taken) {
      await money.settleLost(JSON.parse(due.body) as ResolveEntry, [])
      await connection.ask(markSettled, [node, due.id])
    } else {
      await settleUncounted(connection, node, money, due)
    }
  }
}

type OwnRow = { readonly id: string; readonly body: string | null; readonly is_ours: boolean }

type LeftRow = {
  readonly id: string
  readonly body: string
  readonly line: string | null
  readonly is_stored: boolean
  readonly is_taken: boolean
}

const goneAfter = '60 seconds'

/** The minute of a node without an entry begins now. */
const knowOwners =
  'insert into nodes (node) select node from holds union select node from uncertain_calls ' +
  'join settlements_due on settlements_due.id = uncertain_calls.id where settlements_due.settled_by is null ' +
  'union select taken_by from settlements_due where settled_by is null and taken_by is not null ' +
  'on conflict (node) do nothing'

const isGone = 'nodes.seen < now() - $2::interval'

/** They belong to this node from now on: no other takes them too. */
const takeHolds =
  'update holds set node = $1 from nodes where nodes.node = holds.node and holds.node <> $1 ' +
  `and ${isGone} returning holds.id, holds.body`

const takeLost =
  'update settlements_due due set taken_by = $1 from uncertain_calls, nodes where due.settled_by is null ' +
  'and due.taken_by is null and uncertain_calls.id = due.id and uncertain_calls.node <> $1 ' +
  `and nodes.node = uncertain_calls.node and ${isGone} and not exists ` +
  "(select 1 from events where events.type = 'resolve' and events.id = due.id) returning due.id"

const left =
  'select due.id, due.body, calls.line, due.taken_by is not null as is_taken, events.id is not null as is_stored ' +
  'from settlements_due due left join nodes on nodes.node = due.taken_by left join calls on calls.id = due.id ' +
  "left join events on events.type = 'resolve' and events.id = due.id where due.settled_by is null and " +
  `((due.taken_by <> $1 and ${isGone}) or (due.taken_by is null and ` +
  'due.at < extract(epoch from now() - $2::interval) * 1000 and not exists ' +
  '(select 1 from uncertain_calls where uncertain_calls.id = due.id)))'

/**
 * Of these calls of a node, those that are not its own to settle any more. `is_ours`: settled in the reports, by a node
 * that did not know who counts it.
 */
const takenByOthers =
  'select own.id, due.body, due.settled_by is not null and due.taken_by is null and ' +
  '(uncertain_calls.node is null or uncertain_calls.node = $2) as is_ours from unnest($1::text[]) as own (id) ' +
  'left join uncertain_calls on uncertain_calls.id = own.id left join settlements_due due on due.id = own.id ' +
  "left join events on events.type = 'resolve' and events.id = own.id " +
  'where uncertain_calls.node <> $2 or due.taken_by <> $2 or events.id is not null ' +
  'or (due.settled_by is not null and due.taken_by is null)'

function holdOf({ id, body }: { readonly id: string; readonly body: string }): OpenHold {
  const { owner = 'gone', parts } = JSON.parse(body) as Partial<HoldEntry> & GrowEntry
  return { id, owner, parts }
}
