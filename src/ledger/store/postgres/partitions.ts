import type { Client } from 'pg'
import type { CallRow } from '../batch.ts'
import { dayMs } from '../rollup.ts'

/** The daily partitions of the table of calls: `calls_20261129`. */
export interface Partitions {
  /** Creates the partitions of these calls. */
  make(calls: readonly Pick<CallRow, 'at'>[]): Promise<void>
  /** Drops partitions that are older as a whole. */
  dropBefore(epochMs: number): Promise<void>
}

export function createPartitions(client: Client): Partitions {
  const known = new Set<number>()
  return {
    async make(calls) {
      const days = new Set(calls.map(({ at }) => at - (at % dayMs)))
      for (const day of days) {
        if (known.has(day)) continue
        await makeDay(client, day)
        known.add(day)
      }
    },
    async dropBefore(epochMs) {
      for (const day of await listDays(client)) {
        if (day + dayMs > epochMs) continue
        await client.query(`drop table ${nameOf(day)}`)
        known.delete(day)
      }
    },
  }
}

/** The starts of the days that have a partition. */
export async function listDays(client: Client): Promise<readonly number[]> {
  const { rows } = await client.query<{ name: string }>(
    `select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
     where i.inhparent = 'calls'::regclass`,
  )
  return rows.flatMap(({ name }) => dayOf(name) ?? [])
}

/** In its own transaction: the table is locked until it ends. */
async function makeDay(client: Client, day: number): Promise<void> {
  const name = nameOf(day)
  const { rows } = await client.query<{ there: boolean }>('select to_regclass($1) is not null as there', [
    name,
  ])
  if (rows[0]?.there) return
  await client.query('begin')
  try {
    await client.query('select pg_advisory_xact_lock($1)', [partitionLock])
    await client.query(
      `create table if not exists ${name} partition of calls for values from (${day}) to (${day + dayMs})`,
    )
    await client.query('commit')
  } catch (thrown) {
    await client.query('rollback')
    throw thrown
  }
}

const partitionLock = 7_264_002

function nameOf(day: number): string {
  return `calls_${new Date(day).toISOString().slice(0, 10).replaceAll('-', '')}`
}

function dayOf(name: string): number | undefined {
  const [, year, month, date] = /^calls_(\d{4})(\d{2})(\d{2})$/.exec(name) ?? []
  return year === undefined ? undefined : Date.UTC(Number(year), Number(month) - 1, Number(date))
}
