import type { CallLine } from '../../../core/model/record/call-line.ts'
import type { Writing } from '../call-conditions.ts'
import {
  type CallCounts,
  type CallPlace,
  type CallsPage,
  type CallsQuestion,
  type CallsSpan,
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
import { readSettlements } from '../settlements.ts'
import type { Store } from '../store.ts'
import { endsOf, readEnds } from '../summaries.ts'
import { type UsageQuestion, type UsageRow, type UsageWriting, usageStatement } from '../usage.ts'
import type { PostgresConnection, Row } from './connection.ts'
import { listDays } from './partitions.ts'
import { type Window, windowsOf } from './windows.ts'

/** The queries for calls and their sums. */
export type PostgresQuestions = Pick<Store, 'usage' | 'calls' | 'counts' | 'call'>

export function createQuestions(connection: PostgresConnection): PostgresQuestions {
  return new Questions(connection)
}

class Questions implements PostgresQuestions {
  readonly #connection: PostgresConnection
  #days: readonly number[] = []
  #asked = 0

  constructor(connection: PostgresConnection) {
    this.#connection = connection
  }

  usage(question: UsageQuestion): Promise<readonly UsageRow[]> {
    return this.#read(beginReport, () => this.#usage(question))
  }

  calls(question: CallsQuestion): Promise<CallsPage> {
    return this.#read(beginSearch, () => this.#page(question))
  }

  counts(question: CountsQuestion): Promise<CallCounts> {
    return this.#read(beginSearch, () => this.#counts(question))
  }

  call(id: string): Promise<StoredCall | undefined> {
    return this.#read(beginSearch, async () => {
      const rows = await this.#all({ text: 'select id, at, line from calls where id = $1', values: [id] })
      return (await this.#stored(rows))[0]
    })
  }

  #read<Result>(begin: string, work: () => Promise<Result>): Promise<Result> {
    const { inTurn, inTransaction } = this.#connection
    return inTurn(() => inTransaction(work, begin))
  }

  async #usage(question: UsageQuestion): Promise<readonly UsageRow[]> {
    const ends = endsOf(await this.#all({ text: readEnds, values: [] }))
    const { text, values } = usageStatement(question, ends, usageWriting)
    // Rows as objects of forty members would take twice as long.
    const { rows } = await this.#connection.client.query<readonly unknown[]>({
      ...{ text, values: [...values], rowMode: 'array' as const },
    })
    const names = question.by.length
    return rows.map((row) => ({
      names: row.slice(0, names).map(String),
      sums: row.slice(names).map((sum) => Number(sum ?? 0)),
    }))
  }

  async #page(question: CallsQuestion): Promise<CallsPage> {
    const downTo = isSought(question.filters) ? await this.#last(question) : undefined
    const from = Math.max(question.from ?? 0, downTo?.at ?? 0)
    const rows: Row[] = []
    for (const window of await this.#windows({ ...question, from })) {
      const part = { ...question, ...window, downTo, limit: question.limit - rows.length }
      rows.push(...(await this.#all(callsStatement(part, writing))))
      if (rows.length >= question.limit) break
    }
    const isFull = rows.length >= question.limit
    return { calls: await this.#stored(rows), searchedTo: isFull ? undefined : downTo }
  }

  /** The last call that a search examines; undefined: it examines all of the span. */
  async #last(span: CallsSpan): Promise<CallPlace | undefined> {
    let left = soughtAtOnce
    for (const window of await this.#windows(span)) {
      const [last] = await this.#all(lastStatement({ ...span, ...window }, left, writing))
      left -= Number(last?.['looked'] ?? 0)
      if (last !== undefined && left <= 0) return { at: Number(last['at']), id: String(last['id']) }
    }
    return undefined
  }

  async #counts(question: CountsQuestion): Promise<CallCounts> {
    const rows: Row[] = []
    let left = countedAtOnce
    for (const { from, to = question.to } of await this.#windows(question)) {
      const part = await this.#all(countsStatement({ ...question, from, to }, left, writing))
      rows.push(...part)
      left -= part.reduce((sum, row) => sum + Number(row['calls']), 0)
      if (left <= 0) break
    }
    return countsOf(rows)
  }

  async #windows({ before, from, to }: CallsSpan): Promise<readonly Window[]> {
    // An outdated list changes only how many partitions a query reads, not what it finds.
    if (this.#asked++ % listEvery === 0) this.#days = await listDays(this.#connection.client)
    const end = before === undefined ? to : Math.min(to ?? Number.MAX_SAFE_INTEGER, before.at + 1)
    return windowsOf(this.#days, { from: from ?? 0, to: end })
  }

  async #stored(rows: readonly Row[]): Promise<readonly StoredCall[]> {
    const ids = rows.map(({ id }) => String(id))
    const { rows: events } = await this.#connection.client.query<Row>(readResolved, [ids])
    const settlements = readSettlements(events.map(({ body }) => String(body)))
    return rows.map(({ id, at, line }) => ({
      call: JSON.parse(String(line)) as CallLine,
      startedEpochMs: Number(at),
      settled: settlements.get(String(id)),
    }))
  }

  async #all({ text, values }: Statement): Promise<readonly Row[]> {
    return (await this.#connection.client.query<Row>(text, [...values])).rows
  }
}

const writing: Writing = {
  place: (nth) => `$${nth}`,
  text: (path) => `(line::json #>> '{${path.join(',')}}')`,
  number: (name) => {
    const column = { costNanoUsd: 'cost', totalMs: 'total_ms' }[name]
    // Rows written by an older version have neither column.
    return `case when total_ms is null then (line::json ->> '${name}')::numeric else ${column}::numeric end`
  },
  elements: (member) => `json_array_elements_text(line::json -> '${member}') as element (value)`,
  position: 'strpos',
  lineColumns: 'cost, total_ms, line',
}

const exactCounts: ReadonlySet<string> = new Set(['cost', 'uncertain', 'baseline', 'saved'])

const usageWriting: UsageWriting = {
  place: writing.place,
  // Postgres sums bigint with arbitrary precision, which takes several times as long. Counts stay far below 2^53.
  sum: (measure) => (exactCounts.has(measure) ? `sum(${measure})` : `sum(${measure}::float8)`),
  isSummedAtOnce: true,
}

/**
 * No query runs long enough for compilation or parallel workers to pay off. The settings end with the transaction,
 * because a connection pooler may reuse the session for other clients.
 */
const beginReading = 'begin read only; set local jit = off; set local max_parallel_workers_per_gather = 0; '

/** Sums of ten thousand rows with forty columns would be spilled to disk with the default of 4 MB. */
const beginReport = `${beginReading}set local work_mem = '64MB'`

/** A search ends after a number of calls, so that reading them in the order of an index is always faster than sorting. */
const beginSearch = `${beginReading}set local enable_seqscan = off; set local enable_bitmapscan = off`

/** In queries. */
const listEvery = 100

export const readResolved = `select body from events where type = 'resolve' and id = any($1)`
