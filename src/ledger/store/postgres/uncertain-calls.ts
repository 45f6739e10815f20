import type { Client } from 'pg'
import type { SettleEntry } from '../../../core/model/journal.ts'
import type { DoubtChanges } from '../batch.ts'

/**
 * Stores what settlements of a node left uncertain, so that another node can make it certain once this one is gone. A
 * call belongs to the first node that says so: the others then release what they count of it. In a transaction.
 */
export async function keepUncertain(
  client: Client,
  node: string,
  { uncertain, certain }: DoubtChanges,
): Promise<void> {
  // Always in one order: nodes that write the same calls in different orders would deadlock.
  const made = [...uncertain].sort(([one], [other]) => (one < other ? -1 : 1))
  if (made.length > 0) {
    const times = made.map(([, text]) => (JSON.parse(text) as SettleEntry).at)
    await client.query(insertUncertain, [made.map(([id]) => id), times, made.map(([, text]) => text), node])
  }
  if (certain.size > 0) await client.query(deleteCertain, [[...certain], node])
}

/** Those of calls that are not kept any more. */
export const pruneUncertain = 'delete from uncertain_calls where at < $1'

/** Those that were settled before a time, and whose own node left no record. */
export const readLost =
  'select id from uncertain_calls where at < $1 and not exists ' +
  '(select 1 from calls where calls.id = uncertain_calls.id) order by at'

const insertUncertain =
  'insert into uncertain_calls (id, at, body, node) select made.*, $4 from ' +
  'unnest($1::text[], $2::bigint[], $3::text[]) as made (id, at, body) where not exists ' +
  "(select 1 from events where events.type = 'resolve' and events.id = made.id) on conflict (id) do nothing"

const deleteCertain = 'delete from uncertain_calls where id = any($1) and node = $2'
