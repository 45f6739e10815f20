import { Client } from 'pg'
import type { CallLine } from '../../../core/model/record/call-line.ts'
import type { Position } from '../../journal/segments.ts'
import { type Batch, type CallRow, correctionOf, type EventRow } from '../batch.ts'
import type { Writing } from '../call-conditions.ts'
import {
  type CallCounts,
  type CallPlace,
  type CallsQuestion,
  type CountsQuestion,
  callsStatement,
  countedAtOnce,
  countsStatement,
  reachStatement,
  type Statement,
  type StoredCall,
  soughtAtOnce,
} from '../calls.ts'
import { missing } from '../migration.ts'
import { dimensions, measures, type RollupRow } from '../rollup.ts'
import { readSettlements } from '../settlements.ts'
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
import { measuresOf, type UsageQuestion, type UsageRow, usageStatement } from '../usage.ts'
import { postgresMigrations } from './migrations.ts'
import { createPartitions, type Partitions } from './partitions.ts'
import { keepShared } from './shared-changes.ts'

/**
 * A store in a Postgres database, over one connection that opens with the first query. Once the connection is lost,
 * every query rejects: open another store. Several processes may write to one database.
 */
export function openPostgresStore(databaseUrl: string): Store {
  return new PostgresStore(databaseUrl)
}

class PostgresStore implements Store {
  readonly #client: Client
  readonly #partitions: Partitions
  #connecting: Promise<unknown> | undefined
  #turn: Promise<unknown> = Promise.resolve()

  constructor(databaseUrl: string) {
    this.#client = new Client({
      ...{ connectionString: databaseUrl, application_name: 'pandotate-gateway' },
      ...{ connectionTimeoutMillis: connectWithinMs, query_timeout: answerWithinMs, keepAlive: true },
    })
    // Pending queries reject by themselves.
    this.#client.on('error', () => undefined)
    this.#partitions = createPartitions(this.#client)
  }

  async migrate(isDry = false): Promise<readonly string[]> {
    await this.#connected()
    if (isDry) return (await this.#due()).map(({ name }) => name)
    await this.#client.query('select pg_advisory_lock($1)', [migrationLock])
    try {
      await this.#client.query(
        'create table if not exists migrations (name text primary key, at bigint not null)',
      )
      const due = await this.#due()
      for (const { name, text } of due) {
        await this.#inTransaction(async () => {
          await this.#client.query(text)
          await this.#client.query('insert into migrations (name, at) values ($1, $2)', [name, Date.now()])
        })
      }
      return due.map(({ name }) => name)
    } finally {
      await this.#client.query('select pg_advisory_unlock($1)', [migrationLock])
    }
  }

  async position(node: string): Promise<Position | undefined> {
    const [row] = await this.#all('select segment, byte from positions where node = $1', [node])
    return row && { segment: Number(row['segment']), offset: Number(row['byte']) }
  }

  async write(node: string, { calls, hours, days, events, holds, to }: Batch): Promise<void> {
    await this.#connected()
    await this.#partitions.make(calls)
    await this.#inTransaction(async () => {
      // Prevents nodes from extending a summary during this write, so that it is known which calls are late.
      await this.#client.query('select pg_advisory_xact_lock_shared($1)', [summaryLock])
      if (calls.length > 0) await this.#client.query(insertCalls, callColumns(calls))
      await this.#addSums({ hours, days })
      for (const event of events) await this.#take(event)
      await keepShared(this.#client, events)
      if (holds.over.size > 0)
        await this.#client.query('delete from holds where id = any($1)', [[...holds.over]])
      const open = [...holds.open]
      if (open.length > 0) {
        await this.#client.query(insertHolds, [open.map(([id]) => id), open.map(([, body]) => body), node])
      }
      await this.#client.query(movePosition, [node, to.segment, to.offset])
    })
  }

  /** A call whose cost becomes certain changes the sums of its hour once. */
  async #take({ id, at, type, body }: EventRow): Promise<void> {
    const known = await this.#all('select 1 from events where type = $1 and id = $2', [type, id])
    await this.#client.query(insertEvent, [id, at, type, body])
    if (type !== 'resolve' || known.length > 0) return
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

  async rollUp(before: number): Promise<boolean> {
    await this.#connected()
    let isDone = false
    await this.#inTransaction(async () => {
      await this.#client.query('select pg_advisory_xact_lock($1)', [summaryLock])
      const due = dueSummary(await this.#ends(), before)
      isDone = due === undefined
      if (due === undefined) return
      const { text, values } = firstRowStatement(due, place)
      const [first] = await this.#all(text, values)
      await this.#runAll(stepStatements(due, first && Number(first['at']), place))
    })
    return isDone
  }

  async checkSummaries(): Promise<void> {
    await this.#connected()
    await this.#inTransaction(async () => {
      await this.#client.query('select pg_advisory_xact_lock($1)', [summaryLock])
      const at = (await this.#all(firstDifference, []))[0]?.['at'] ?? undefined
      if (at !== undefined) await this.#runAll(forgetStatements(Number(at), place))
    })
  }

  async #ends(): Promise<SummaryEnds> {
    return endsOf(await this.#all(readEnds, []))
  }

  async #runAll(statements: readonly Statement[]): Promise<void> {
    for (const { text, values } of statements) await this.#client.query(text, [...values])
  }

  async usage(question: UsageQuestion): Promise<readonly UsageRow[]> {
    const { text, values } = usageStatement(question, await this.#ends(), place)
    return (await this.#all(text, values)).map((row) => ({
      names: question.by.map((_, index) => String(row[`name_${index}`])),
      sums: measuresOf(question).map((name) => Number(row[name] ?? 0)),
    }))
  }

  async calls(question: CallsQuestion): Promise<readonly StoredCall[]> {
    const { text, values } = callsStatement(question, writing)
    return await this.#stored(await this.#all(text, values))
  }

  async reach(question: CallsQuestion): Promise<CallPlace | undefined> {
    const { text, values } = reachStatement(question, soughtAtOnce, writing)
    const [last] = await this.#all(text, values)
    return last && { at: Number(last['at']), id: String(last['id']) }
  }

  async counts(question: CountsQuestion): Promise<CallCounts> {
    const { text, values } = countsStatement(question, writing)
    const rows = (await this.#all(text, values)).map((row) => ({
      ...{ at: Number(row['part']), calls: Number(row['calls']), failed: Number(row['failed']) },
    }))
    const last = reachStatement(question, countedAtOnce, writing)
    return { rows, isComplete: (await this.#all(last.text, last.values)).length === 0 }
  }

  async call(id: string): Promise<StoredCall | undefined> {
    return (await this.#stored(await this.#all('select id, at, line from calls where id = $1', [id])))[0]
  }

  async prune({ calls, rollups }: PruneTimes): Promise<boolean> {
    await this.#connected()
    await this.#partitions.dropBefore(calls)
    for (const table of ['rollups_hour', 'rollups_day']) {
      await this.#client.query(`delete from ${table} where at < $1`, [rollups])
    }
    await this.#runAll(pruneStatements(rollups, place))
    return true
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#connecting === undefined) return
    await this.#connecting.then(
      () => this.#client.end(),
      () => undefined,
    )
  }

  #connected(): Promise<unknown> {
    this.#connecting ??= this.#client.connect()
    return this.#connecting
  }

  async #due() {
    const [table] = await this.#all(`select to_regclass('migrations') is not null as there`, [])
    const done = table?.['there'] === true ? await this.#all('select name from migrations', []) : []
    return missing(postgresMigrations, new Set(done.map(({ name }) => String(name))))
  }

  async #stored(rows: readonly Row[]): Promise<readonly StoredCall[]> {
    const ids = rows.map(({ id }) => String(id))
    const events = await this.#all(`select body from events where type = 'resolve' and id = any($1)`, [ids])
    const settlements = readSettlements(events.map(({ body }) => String(body)))
    return rows.map(({ id, at, line }) => ({
      call: JSON.parse(String(line)) as CallLine,
      startedEpochMs: Number(at),
      settled: settlements.get(String(id)),
    }))
  }

  async #inTransaction(work: () => Promise<void>): Promise<void> {
    await this.#client.query('begin')
    try {
      await work()
      await this.#client.query('commit')
    } catch (thrown) {
      // If the connection is lost, the database rolls back by itself.
      await this.#client.query('rollback').catch(() => undefined)
      throw thrown
    }
  }

  /** Reports are requested concurrently, but a connection runs one query at a time. */
  #all(text: string, values: readonly unknown[]): Promise<readonly Row[]> {
    const rows = this.#turn.then(async () => {
      await this.#connected()
      return (await this.#client.query<Record<string, unknown>>(text, [...values])).rows
    })
    this.#turn = rows.catch(() => undefined)
    return rows
  }
}

const place = (nth: number) => `$${nth}`

const writing: Writing = {
  place,
  text: (path) => `(line::json #>> '{${path.join(',')}}')`,
  number: (path) => `(line::json #>> '{${path.join(',')}}')::numeric`,
  elements: (member) => `json_array_elements_text(line::json -> '${member}') as element (value)`,
}

type Row = Readonly<Record<string, unknown>>

const connectWithinMs = 5000
const answerWithinMs = 60_000
const migrationLock = 7_264_001
const summaryLock = 7_264_004

const insertCalls =
  'insert into calls (id, at, "key", team, model, status, line) select * from unnest(' +
  '$1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::integer[], $7::text[]) ' +
  'on conflict (id, at) do nothing'

const insertEvent =
  'insert into events (id, at, type, body) values ($1, $2, $3, $4) ' +
  'on conflict (type, id) do update set body = excluded.body'

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
  const columns = ['id', 'at', 'key', 'team', 'model', 'status', 'line'] as const
  return columns.map((name) => calls.map((call) => call[name]))
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
