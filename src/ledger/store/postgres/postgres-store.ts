import type { Client } from 'pg'
import type { Position } from '../../journal/segments.ts'
import { type Batch, type CallKey, type CallRow, correctionOf, type EventRow } from '../batch.ts'
import type { CallCounts, CallsPage, CallsQuestion, CountsQuestion, Statement, StoredCall } from '../calls.ts'
import { changesIn, readChanges } from '../changes.ts'
import { forgottenUserIn } from '../forgotten-user.ts'
import { missing } from '../migration.ts'
import { dimensions, measures, type RollupRow } from '../rollup.ts'
import type { PruneTimes, Store } from '../store.ts'
import {
  dueSummary,
  endsOf,
  firstDifference,
  firstRowStatement,
  forgetStatements,
  lateStatements,
  pruneStatements,
  readEnds,
  type SummaryEnds,
  stepStatements,
} from '../summaries.ts'
import type { UsageQuestion, UsageRow } from '../usage.ts'
import { createConnection, type PostgresConnection, type Row } from './connection.ts'
import { postgresMigrations } from './migrations.ts'
import { createPartitions, type Partitions } from './partitions.ts'
import { createQuestions, type PostgresQuestions, readResolved } from './questions.ts'
import { keepShared } from './shared-changes.ts'
import { keepUncertain, pruneUncertain, readLost } from './uncertain-calls.ts'

/**
 * A store in a Postgres database, over one connection that opens with the first query. Once the connection is lost,
 * every query rejects: open another store. Several processes may write to one database.
 */
export function openPostgresStore(databaseUrl: string): Store {
  return new PostgresStore(databaseUrl)
}

class PostgresStore implements Store {
  readonly isShared = true
  readonly #connection: PostgresConnection
  readonly #client: Client
  readonly #partitions: Partitions
  readonly #questions: PostgresQuestions

  constructor(databaseUrl: string) {
    this.#connection = createConnection(databaseUrl)
    this.#client = this.#connection.client
    this.#partitions = createPartitions(this.#client)
    this.#questions = createQuestions(this.#connection)
  }

  migrate(isDry = false): Promise<readonly string[]> {
    return this.#connection.inTurn(async () => {
      return isDry ? (await this.#due()).map(({ name }) => name) : await this.#migrate()
    })
  }

  async #migrate(): Promise<readonly string[]> {
    const done: string[] = []
    // Without a lock, so that nobody waits for another node's long step on a schema that is new enough already.
    while ((await this.#due()).length > 0) {
      const name = await this.#connection.inTransaction(() => this.#step())
      if (name !== undefined) done.push(name)
    }
    return done
  }

  /** In a transaction, which also ends the lock: a pooler gives another connection to each. */
  async #step(): Promise<string | undefined> {
    await this.#client.query('select pg_advisory_xact_lock($1)', [migrationLock])
    await this.#client.query(
      'create table if not exists migrations (name text primary key, at bigint not null)',
    )
    const [due] = await this.#due()
    if (due === undefined) return undefined
    const { name, text } = due
    const step = { text, query_timeout: migrateWithinMs }
    await this.#client.query(step)
    await this.#client.query('insert into migrations (name, at) values ($1, $2)', [name, Date.now()])
    return name
  }

  position(node: string): Promise<Position | undefined> {
    return this.#connection.inTurn(async () => {
      const [row] = await this.#all('select segment, byte from positions where node = $1', [node])
      return row && { segment: Number(row['segment']), offset: Number(row['byte']) }
    })
  }

  known(calls: readonly CallKey[]): Promise<ReadonlySet<string>> {
    return this.#connection.inTurn(async () => {
      const keys = [calls.map(({ id }) => id), calls.map(({ at }) => at)]
      return new Set((await this.#all(readKnown, keys)).map(({ id }) => String(id)))
    })
  }

  write(node: string, batch: Batch): Promise<void> {
    return this.#connection.inTurn(async () => {
      await this.#partitions.make(batch.calls)
      await this.#connection.inTransaction(() => this.#write(node, batch))
    })
  }

  async #write(node: string, batch: Batch): Promise<void> {
    const { calls, hours, days, events, holds, doubts, to } = batch
    // Prevents nodes from extending a summary during this write, so that it is known which calls are late.
    await this.#client.query('select pg_advisory_xact_lock_shared($1)', [summaryLock])
    if (calls.length > 0) await this.#client.query(insertCalls, callColumns(calls))
    await this.#addSums({ hours, days })
    for (const call of batch.doubtful) await this.#correctSettled(call)
    for (const event of events) await this.#take(event)
    await keepShared(this.#client, events)
    if (holds.over.size > 0)
      await this.#client.query('delete from holds where id = any($1)', [[...holds.over]])
    const open = [...holds.open]
    if (open.length > 0) {
      await this.#client.query(insertHolds, [open.map(([id]) => id), open.map(([, body]) => body), node])
    }
    await keepUncertain(this.#client, node, doubts)
    await this.#client.query(movePosition, [node, to.segment, to.offset])
  }

  /** Another node may have settled a call before its own node stores it. */
  async #correctSettled({ id, at, line }: CallRow): Promise<void> {
    const [settled] = await this.#all(readResolved, [[id]])
    if (settled !== undefined) await this.#addSums(correctionOf(line, at, String(settled['body'])))
  }

  /** A call whose cost becomes certain changes the sums of its hour once. */
  async #take(event: EventRow): Promise<void> {
    const { id, at, type, body } = event
    const forgotten = forgottenUserIn(event)
    if (forgotten !== undefined) await this.#client.query(forgetUser, [forgotten.member, forgotten.user])
    if (type !== 'resolve') return void (await this.#client.query(insertEvent, [id, at, type, body]))
    // Several nodes may write it. The first one counts, and the others wait for its transaction.
    const { rowCount } = await this.#client.query(insertSettlement, [id, at, type, body])
    if (rowCount === 0) return
    const [call] = await this.#all('select at, line from calls where id = $1', [id])
    if (call === undefined) return
    await this.#addSums(correctionOf(String(call['line']), Number(call['at']), body))
  }

  async #addSums({ hours, days }: Pick<Batch, 'hours' | 'days'>): Promise<void> {
    if (hours.length === 0) return
    await this.#client.query(addToHours, sumColumns(hours))
    await this.#client.query(addToDays, sumColumns(days))
    await this.#runAll(lateStatements(await this.#ends(), hours, place))
  }

  rollUp(before: number): Promise<boolean> {
    return this.#overSummaries(async () => {
      const due = dueSummary(await this.#ends(), before)
      if (due === undefined) return true
      const { text, values } = firstRowStatement(due, place)
      const [first] = await this.#all(text, values)
      await this.#runAll(stepStatements(due, first && Number(first['at']), place))
      return false
    })
  }

  checkSummaries(): Promise<void> {
    return this.#overSummaries(async () => {
      const at = (await this.#all(firstDifference, []))[0]?.['at'] ?? undefined
      if (at !== undefined) await this.#runAll(forgetStatements(Number(at), place))
    })
  }

  /** No node writes calls or summaries meanwhile. */
  #overSummaries<Result>(work: () => Promise<Result>): Promise<Result> {
    const { inTurn, inTransaction } = this.#connection
    return inTurn(() =>
      inTransaction(async () => {
        await this.#client.query('select pg_advisory_xact_lock($1)', [summaryLock])
        return await work()
      }),
    )
  }

  async #ends(): Promise<SummaryEnds> {
    return endsOf(await this.#all(readEnds, []))
  }

  async #runAll(statements: readonly Statement[]): Promise<void> {
    for (const { text, values } of statements) await this.#client.query(text, [...values])
  }

  usage(question: UsageQuestion): Promise<readonly UsageRow[]> {
    return this.#questions.usage(question)
  }

  calls(question: CallsQuestion): Promise<CallsPage> {
    return this.#questions.calls(question)
  }

  counts(question: CountsQuestion): Promise<CallCounts> {
    return this.#questions.counts(question)
  }

  call(id: string): Promise<StoredCall | undefined> {
    return this.#questions.call(id)
  }

  lostCalls(before: number): Promise<readonly string[]> {
    return this.#connection.inTurn(async () => {
      return (await this.#all(readLost, [before])).map(({ id }) => String(id))
    })
  }

  changes(): ReturnType<Store['changes']> {
    return this.#connection.inTurn(async () => changesIn(await this.#all(readChanges, [])))
  }

  prune(before: PruneTimes): Promise<boolean> {
    return this.#connection.inTurn(async () => {
      const aheadMs = await this.#aheadMs()
      const [calls, rollups] = [before.calls - aheadMs, before.rollups - aheadMs]
      await this.#partitions.dropBefore(calls)
      await this.#client.query(pruneUncertain, [calls])
      for (const table of ['rollups_hour', 'rollups_day']) {
        await this.#client.query(`delete from ${table} where at < $1`, [rollups])
      }
      await this.#runAll(pruneStatements(rollups, place))
      return true
    })
  }

  /** How far the clock here is ahead of the database's: one node with a wrong clock would delete the calls of all. */
  async #aheadMs(): Promise<number> {
    const [row] = await this.#all('select extract(epoch from now()) * 1000 as ms', [])
    const aheadMs = Math.ceil(Date.now() - Number(row?.['ms']))
    return aheadMs > toleratedAheadMs ? aheadMs : 0
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve(this.#connection[Symbol.asyncDispose]())
  }

  async #due() {
    const [table] = await this.#all(`select to_regclass('migrations') is not null as there`, [])
    const done = table?.['there'] === true ? await this.#all('select name from migrations', []) : []
    return missing(postgresMigrations, new Set(done.map(({ name }) => String(name))))
  }

  async #all(text: string, values: readonly unknown[]): Promise<readonly Row[]> {
    return (await this.#client.query<Row>(text, [...values])).rows
  }
}

const place = (nth: number) => `$${nth}`

const toleratedAheadMs = 60_000

/** Indexes of all calls may take minutes. */
const migrateWithinMs = 3_600_000

const migrationLock = 7_264_001
const summaryLock = 7_264_004

const insertCalls =
  'insert into calls (id, at, "key", team, model, status, cost, total_ms, line) select * from unnest(' +
  '$1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::integer[], $7::bigint[], $8::float8[], ' +
  '$9::text[]) ' +
  'on conflict (id, at) do nothing'

const readKnown =
  'select calls.id from unnest($1::text[], $2::bigint[]) as made (id, at) ' +
  'join calls on calls.id = made.id and calls.at = made.at'

const forgetUser =
  "update calls set line = (line::jsonb - 'user')::text where position($1 in line) > 0 and line::jsonb ->> 'user' = $2"

const insertEvent =
  'insert into events (id, at, type, body) values ($1, $2, $3, $4) ' +
  'on conflict (type, id) do update set body = excluded.body'

const insertSettlement =
  'insert into events (id, at, type, body) values ($1, $2, $3, $4) on conflict (type, id) do nothing'

const insertHolds =
  'insert into holds (id, body, node) select opened.*, $3 from unnest($1::text[], $2::text[]) as opened ' +
  'on conflict (id) do update set body = excluded.body'

const movePosition =
  'insert into positions (node, segment, byte) values ($1, $2, $3) ' +
  'on conflict (node) do update set segment = excluded.segment, byte = excluded.byte'

const addToHours = addTo('rollups_hour')
const addToDays = addTo('rollups_day')

/** One array per column, so that a single statement inserts any number of rows. */
function callColumns(calls: readonly CallRow[]): unknown[] {
  const members = ['id', 'at', 'key', 'team', 'model', 'status', 'costNanoUsd', 'totalMs', 'line'] as const
  return members.map((name) => calls.map((call) => call[name]))
}

function sumColumns(rows: readonly RollupRow[]): unknown[] {
  const names = dimensions.map((_, index) => rows.map((row) => row.names[index] ?? ''))
  const sums = measures.map((_, index) => rows.map((row) => row.sums[index] ?? 0))
  return [rows.map(({ at }) => at), ...names, ...sums]
}

function addTo(table: 'rollups_hour' | 'rollups_day'): string {
  const names = dimensions.map((name) => `"${name}"`)
  const types = ['bigint', ...dimensions.map(() => 'text'), ...measures.map(() => 'bigint')]
  const lists = types.map((type, index) => `$${index + 1}::${type}[]`)
  const added = measures.map((name) => `${name} = ${table}.${name} + excluded.${name}`)
  return (
    `insert into ${table} (at, ${[...names, ...measures].join(', ')}) select * from unnest(${lists.join(', ')}) ` +
    `on conflict (at, ${names.join(', ')}) do update set ${added.join(', ')}`
  )
}
