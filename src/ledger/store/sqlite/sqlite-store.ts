import { DatabaseSync, type StatementSync } from 'node:sqlite'
import type { CallLine } from '../../../core/model/record/call-line.ts'
import type { Position } from '../../journal/segments.ts'
import { type Batch, type CallKey, type CallRow, correctionOf, type EventRow } from '../batch.ts'
import type { Writing } from '../call-conditions.ts'
import {
  type CallCounts,
  type CallPlace,
  type CallsPage,
  type CallsQuestion,
  type CountsQuestion,
  callsStatement,
  countedAtOnce,
  countsOf,
  countsStatement,
  isSought,
  lastStatement,
  type Statement,
  type StoredCall,
  soughtAtOnce,
} from '../calls.ts'
import { changesIn, readChanges } from '../changes.ts'
import { forgottenUserIn } from '../forgotten-user.ts'
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
import { measuresOf, type UsageQuestion, type UsageRow, type UsageWriting, usageStatement } from '../usage.ts'
import { sqliteMigrations } from './migrations.ts'
import { sameFile } from './same-file.ts'

/**
 * A store in a file. Its calls are synchronous, and a commit waits for the disk: for worker threads only. One
 * connection may write while others read.
 */
export function openSqliteStore(path: string): Store {
  const database = new DatabaseSync(path, { timeout: busyMs })
  database.exec('pragma journal_mode = wal; pragma synchronous = full; pragma cache_size = -65536')
  database.exec('create table if not exists migrations (name text primary key, at integer not null) strict')
  return new SqliteStore(database, sameFile(path))
}

const busyMs = 10_000

class SqliteStore implements Store {
  readonly isShared = false
  readonly #database: DatabaseSync
  readonly #checkFile: () => void
  readonly #statements = new Map<string, StatementSync>()

  constructor(database: DatabaseSync, checkFile: () => void) {
    this.#database = database
    this.#checkFile = checkFile
  }

  async migrate(isDry = false): Promise<readonly string[]> {
    return this.#inTransaction(() => {
      const done = new Set(this.#all('select name from migrations', []).map(({ name }) => String(name)))
      const due = missing(sqliteMigrations, done)
      for (const { name, text } of isDry ? [] : due) {
        this.#database.exec(text)
        this.#run('insert into migrations (name, at) values (?, ?)', [name, Date.now()])
      }
      return due.map(({ name }) => name)
    })
  }

  async position(node: string): Promise<Position | undefined> {
    const [row] = this.#all('select segment, byte from positions where node = ?', [node])
    return row && { segment: Number(row['segment']), offset: Number(row['byte']) }
  }

  async known(calls: readonly CallKey[]): Promise<ReadonlySet<string>> {
    const ids = JSON.stringify(calls.map(({ id }) => id))
    return new Set(this.#all(readKnown, [ids]).map(({ id }) => String(id)))
  }

  async write(node: string, batch: Batch): Promise<void> {
    this.#inTransaction(() => {
      for (const call of batch.calls) this.#run(insertCall, valuesOf(call))
      this.#addSums(batch)
      for (const call of batch.doubtful) this.#correctSettled(call)
      for (const event of batch.events) this.#take(event)
      this.#run(movePosition, [node, batch.to.segment, batch.to.offset])
    })
  }

  /** Another node may have settled a call before its own node stores it. */
  #correctSettled({ id, at, line }: CallRow): void {
    const [settled] = this.#all(readSettled, [id])
    if (settled !== undefined) this.#addSums(correctionOf(line, at, String(settled['body'])))
  }

  /** A call whose cost becomes certain changes the sums of its hour once. */
  #take(event: EventRow): void {
    const { id, at, type, body } = event
    const isKnown = this.#all('select 1 from events where type = ? and id = ?', [type, id]).length > 0
    this.#run(insertEvent, [id, at, type, body])
    const forgotten = forgottenUserIn(event)
    if (forgotten !== undefined) this.#run(forgetUser, [forgotten.member, forgotten.user])
    if (type !== 'resolve' || isKnown) return
    const [call] = this.#all('select at, line from calls where id = ?', [id])
    if (call === undefined) return
    this.#addSums(correctionOf(String(call['line']), Number(call['at']), body))
  }

  #addSums({ hours, days }: Pick<Batch, 'hours' | 'days'>): void {
    for (const row of hours) this.#run(addToHours, sumValuesOf(row))
    for (const row of days) this.#run(addToDays, sumValuesOf(row))
    this.#runAll(lateStatements(this.#ends(), hours, place))
  }

  async rollUp(before: number): Promise<boolean> {
    const due = dueSummary(this.#ends(), before)
    if (due === undefined) return true
    this.#inTransaction(() => {
      const { text, values } = firstRowStatement(due, place)
      const [first] = this.#all(text, values)
      this.#runAll(stepStatements(due, first && Number(first['at']), place))
    })
    return false
  }

  async checkSummaries(): Promise<void> {
    // Reads all days outside a transaction, so that others can write meanwhile; nothing else writes these rows.
    const at = this.#all(firstDifference, [])[0]?.['at'] ?? undefined
    if (at !== undefined) this.#inTransaction(() => this.#runAll(forgetStatements(Number(at), place)))
  }

  #ends(): SummaryEnds {
    return endsOf(this.#all(readEnds, []))
  }

  async usage(question: UsageQuestion): Promise<readonly UsageRow[]> {
    this.#checkFile()
    const { text, values } = usageStatement(question, this.#ends(), usageWriting)
    return this.#all(text, values).map((row) => ({
      names: question.by.map((_, index) => String(row[`name_${index}`])),
      sums: measuresOf(question).map((name) => Number(row[name] ?? 0)),
    }))
  }

  async calls(question: CallsQuestion): Promise<CallsPage> {
    this.#checkFile()
    const { text, values } = callsStatement(question, writing)
    const calls = this.#stored(this.#all(text, values))
    const isDone = calls.length >= question.limit || !isSought(question.filters)
    return { calls, searchedTo: isDone ? undefined : this.#searchedTo(question) }
  }

  #searchedTo(question: CallsQuestion): CallPlace | undefined {
    const { text, values } = lastStatement(question, soughtAtOnce, writing)
    const [last] = this.#all(text, values)
    return last && Number(last['looked']) === soughtAtOnce
      ? { at: Number(last['at']), id: String(last['id']) }
      : undefined
  }

  async counts(question: CountsQuestion): Promise<CallCounts> {
    this.#checkFile()
    const { text, values } = countsStatement(question, countedAtOnce, writing)
    return countsOf(this.#all(text, values))
  }

  async call(id: string): Promise<StoredCall | undefined> {
    this.#checkFile()
    return this.#stored(this.#all('select id, at, line from calls where id = ?', [id]))[0]
  }

  /** One node writes here, which records every call of its own. */
  async lostCalls(): Promise<readonly string[]> {
    return []
  }

  async changes(): ReturnType<Store['changes']> {
    return changesIn(this.#all(readChanges, []))
  }

  async prune({ calls, rollups }: PruneTimes): Promise<boolean> {
    const some = `where rowid in (select rowid from calls where at < ? order by at limit ${prunedAtOnce})`
    const deleted = this.#run(`delete from calls ${some}`, [calls])
    for (const table of ['rollups_hour', 'rollups_day'])
      this.#run(`delete from ${table} where at < ?`, [rollups])
    this.#runAll(pruneStatements(rollups, place))
    return deleted < prunedAtOnce
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#database.close()
  }

  #stored(rows: readonly Row[]): readonly StoredCall[] {
    const ids = JSON.stringify(rows.map(({ id }) => id))
    const events = this.#all(
      `select id, body from events where type = 'resolve' and id in (select value from json_each(?))`,
      [ids],
    )
    const settlements = readSettlements(events.map(({ body }) => String(body)))
    return rows.map(({ id, at, line }) => ({
      call: JSON.parse(String(line)) as CallLine,
      startedEpochMs: Number(at),
      settled: settlements.get(String(id)),
    }))
  }

  #inTransaction<Result>(work: () => Result): Result {
    this.#checkFile()
    this.#database.exec('begin immediate')
    try {
      const result = work()
      this.#database.exec('commit')
      return result
    } catch (thrown) {
      if (this.#database.isTransaction) this.#database.exec('rollback')
      throw thrown
    }
  }

  #runAll(statements: readonly Statement[]): void {
    for (const { text, values } of statements) this.#run(text, values)
  }

  #run(text: string, values: Values): number {
    return Number(this.#prepared(text).run(...values).changes)
  }

  #all(text: string, values: Values): readonly Row[] {
    return this.#prepared(text).all(...values) as Row[]
  }

  #prepared(text: string): StatementSync {
    const known = this.#statements.get(text)
    if (known !== undefined) return known
    const made = this.#database.prepare(text)
    // Sums of money exceed JavaScript's safe integers.
    made.setReadBigInts(true)
    if (this.#statements.size < mostStatements) this.#statements.set(text, made)
    return made
  }
}

const place = () => '?'

const writing: Writing = {
  place,
  text: (path) => `json_extract(line, '$.${path.join('.')}')`,
  number: (name) => `json_extract(line, '$.${name}')`,
  elements: (member) => `json_each(line, '$.${member}')`,
  position: 'instr',
  lineColumns: 'line',
}

const usageWriting: UsageWriting = {
  place,
  sum: (measure) => `sum(${measure})`,
  // SQLite would copy every row of a union before it sums them.
  isSummedAtOnce: false,
}

type Row = Readonly<Record<string, string | number | bigint | null>>
type Values = readonly (string | number)[]

/** The number of different queries is not bounded, so the cache is. */
const mostStatements = 100

const prunedAtOnce = 5000

const insertCall =
  'insert into calls (id, at, "key", team, model, status, line) values (?, ?, ?, ?, ?, ?, ?) ' +
  'on conflict (id) do nothing'

const readKnown = 'select id from calls where id in (select value from json_each(?))'

const readSettled = "select body from events where type = 'resolve' and id = ?"

const forgetUser =
  "update calls set line = json_remove(line, '$.user') where instr(line, ?) > 0 and json_extract(line, '$.user') = ?"

const insertEvent =
  'insert into events (id, at, type, body) values (?, ?, ?, ?) on conflict (type, id) do update set body = excluded.body'

const movePosition =
  'insert into positions (node, segment, byte) values (?, ?, ?) ' +
  'on conflict (node) do update set segment = excluded.segment, byte = excluded.byte'

const addToHours = addTo('rollups_hour')
const addToDays = addTo('rollups_day')

function valuesOf({ id, at, key, team, model, status, line }: CallRow): Values {
  return [id, at, key, team, model, status, line]
}

function sumValuesOf({ at, names, sums }: RollupRow): Values {
  return [at, ...names, ...sums]
}

function addTo(table: 'rollups_hour' | 'rollups_day'): string {
  const names = dimensions.map((name) => `"${name}"`)
  const columns = ['at', ...names, ...measures]
  const added = measures.map((name) => `${name} = ${table}.${name} + excluded.${name}`)
  return (
    `insert into ${table} (${columns.join(', ')}) values (${columns.map(() => '?').join(', ')}) ` +
    `on conflict (at, ${names.join(', ')}) do update set ${added.join(', ')}`
  )
}
