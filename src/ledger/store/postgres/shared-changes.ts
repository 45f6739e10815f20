import type { Client } from 'pg'
import type { AdminEntry } from '../../../core/model/journal.ts'
import type { EventRow } from '../batch.ts'
import { storedText } from '../stored-text.ts'

/** Stores the latest change of each key and team, and each override, for other nodes. In a transaction. */
export async function keepShared(client: Client, events: readonly EventRow[]): Promise<void> {
  const shared = events.flatMap((event) => {
    const subject = subjectOf(event)
    return subject === undefined ? [] : [{ ...subject, event }]
  })
  if (shared.length === 0) return
  // Makes versions visible in order: none is drawn while another transaction is open.
  await client.query('select pg_advisory_xact_lock($1)', [sharedLock])
  for (const { kind, id, event } of shared) {
    await client.query(insertShared, [kind, storedText(id), event.at, event.id, event.body])
  }
}

/** The changes after a version, in order. */
export const readShared =
  'select version, body from shared_changes where version > $1 order by version limit 10000'

const sharedLock = 7_264_003

const insertShared =
  'insert into shared_changes (kind, id, at, event, version, body) ' +
  "values ($1, $2, $3, $4, nextval('shared_versions'), $5) on conflict (kind, id) do update set " +
  'at = excluded.at, event = excluded.event, version = excluded.version, body = excluded.body ' +
  'where (shared_changes.at, shared_changes.event) < (excluded.at, excluded.event)'

const kinds: ReadonlySet<string> = new Set(['key', 'team', 'file_key'])

function subjectOf({ type, id, body }: EventRow): AdminEntry['subject'] | undefined {
  if (type === 'override') return { kind: 'override', id }
  if (type !== 'admin') return undefined
  const { subject } = JSON.parse(body) as AdminEntry
  return kinds.has(subject.kind) ? subject : undefined
}
