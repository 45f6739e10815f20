import type { Statement } from './calls.ts'
import { dayMs, dimensions, hourMs, measures, type RollupRow } from './rollup.ts'

/**
 * A table of sums computed from another one: fewer rows for the same calls. Each is complete up to its own time
 * (`summary_ends`), and is extended in steps, so that writing calls does not become slower. Late calls, from before
 * that time, are added to it in the same transaction.
 */
export type Summary = {
  readonly table: string
  readonly spanMs: number
  readonly from: string
  /** True: its rows are sums by one dimension or none, in `dimension` and `name`. False: by all dimensions. */
  readonly isByOne: boolean
  /** The span of one step. */
  readonly stepMs: number
}

/** In the order in which they are extended: each after its source. */
export const summaries: readonly Summary[] = [
  { table: 'rollups_one_hour', spanMs: hourMs, from: 'rollups_hour', isByOne: true, stepMs: 6 * hourMs },
  { table: 'rollups_one_day', spanMs: dayMs, from: 'rollups_one_hour', isByOne: true, stepMs: 4 * dayMs },
  { table: 'rollups_week', spanMs: 7 * dayMs, from: 'rollups_day', isByOne: false, stepMs: 7 * dayMs },
  { table: 'rollups_month', spanMs: 28 * dayMs, from: 'rollups_week', isByOne: false, stepMs: 28 * dayMs },
]

/** The time up to which each table is complete; absent: it is empty. */
export type SummaryEnds = ReadonlyMap<string, number>

export const readEnds = 'select name, until from summary_ends'

export function endsOf(rows: readonly Readonly<Record<string, unknown>>[]): SummaryEnds {
  return new Map(rows.map(({ name, until }) => [String(name), Number(until)]))
}

type Place = (nth: number) => string

/** A summary that can be extended. */
export type DueSummary = { readonly summary: Summary; readonly from: number; readonly limit: number }

/** The first summary to be extended; undefined: all are complete up to `before`. */
export function dueSummary(ends: SummaryEnds, before: number): DueSummary | undefined {
  for (const summary of summaries) {
    const source = summaries.find(({ table }) => table === summary.from)
    const end = source === undefined ? before : Math.min(before, ends.get(source.table) ?? 0)
    const limit = end - (end % summary.spanMs)
    const from = ends.get(summary.table) ?? 0
    if (from < limit) return { summary, from, limit }
  }
  return undefined
}

/** The time of the first source row, so that years without calls take no steps. */
export function firstRowStatement({ summary, from }: DueSummary, place: Place): Statement {
  const dimension = summaries.some(({ table }) => table === summary.from) && summary.isByOne
  const whole = dimension ? "dimension = '' and " : ''
  const text = `select at from ${summary.from} where ${whole}at >= ${place(1)} order by at limit 1`
  return { text, values: [from] }
}

/** One step, in a transaction. */
export function stepStatements(
  { summary, from, limit }: DueSummary,
  firstAt: number | undefined,
  place: Place,
): readonly Statement[] {
  const { spanMs, stepMs, table } = summary
  const start = firstAt === undefined ? limit : Math.max(from, firstAt - (firstAt % spanMs))
  const until = Math.min(start + stepMs, limit)
  const filled = start < until ? fillStatements(summary, start, until, place) : []
  return [...filled, endStatement(table, until, place)]
}

/** Adds sums to the summaries that already cover their time. */
export function lateStatements(
  ends: SummaryEnds,
  hours: readonly RollupRow[],
  place: Place,
): readonly Statement[] {
  return summaries.flatMap((summary) => {
    const end = ends.get(summary.table) ?? 0
    const lateRows = hours.filter(({ at }) => at < end)
    if (lateRows.length === 0) return []
    const rows = new Map<
      string,
      { readonly keys: readonly (string | number)[]; readonly sums: Float64Array }
    >()
    for (const { at, names, sums } of lateRows) {
      for (const keys of keysIn(summary, at - (at % summary.spanMs), names)) {
        const id = keys.join('\n')
        const row = rows.get(id) ?? { keys, sums: new Float64Array(measures.length) }
        rows.set(id, row)
        for (let index = 0; index < sums.length; index++)
          row.sums[index] = (row.sums[index] ?? 0) + (sums[index] ?? 0)
      }
    }
    const text = addTo(summary, place)
    // Always in one order: writers that lock the same rows in different orders would deadlock.
    return [...rows.entries()]
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([, { keys, sums }]) => ({ text, values: [...keys, ...sums] }))
  })
}

/**
 * The first day whose sums differ from its summary, because an older version, which does not know summaries, has
 * written for a time that they covered.
 */
export const firstDifference = `
  select min(days.at) as at from (
    select at, sum(requests) as requests, sum(errors) as errors, sum(cost) as cost, sum(uncertain) as uncertain
    from rollups_day where at < (select until from summary_ends where name = 'rollups_one_day') group by at
  ) as days left join rollups_one_day as one on one.dimension = '' and one.at = days.at and one.name = ''
  where one.at is null or one.requests <> days.requests or one.errors <> days.errors or one.cost <> days.cost
    or one.uncertain <> days.uncertain`

/** Deletes summaries from a time on, so that they are computed again. */
export function forgetStatements(at: number, place: Place): readonly Statement[] {
  return summaries.flatMap(({ table, spanMs }) => {
    const start = at - (at % spanMs)
    const ended = `name = ${place(2)} and until > ${place(3)}`
    return [
      { text: `delete from ${table} where at >= ${place(1)}`, values: [start] },
      { text: `update summary_ends set until = ${place(1)} where ${ended}`, values: [start, table, start] },
    ]
  })
}

/** A row stays until its whole span has passed. */
export function pruneStatements(before: number, place: Place): readonly Statement[] {
  return summaries.map(({ table, spanMs }) => ({
    text: `delete from ${table} where at < ${place(1)}`,
    values: [before - spanMs],
  }))
}

/** The key columns of a summary. */
export function keyColumns({ isByOne }: Pick<Summary, 'isByOne'>): readonly string[] {
  return isByOne ? ['dimension', 'at', 'name'] : ['at', ...dimensions.map((name) => `"${name}"`)]
}

function fillStatements(
  { table, spanMs, from: source, isByOne }: Summary,
  from: number,
  until: number,
  place: Place,
): readonly Statement[] {
  const into = `insert into ${table} (${[...keyColumns({ isByOne }), ...measures].join(', ')}) select `
  const sums = measures.map((name) => `sum(${name})`).join(', ')
  const at = `at - at % ${spanMs}`
  const where = `at >= ${place(1)} and at < ${place(2)}`
  const values = [from, until]
  if (!isByOne) {
    const names = dimensions.map((name) => `"${name}"`).join(', ')
    const text = `${into}${at}, ${names}, ${sums} from ${source} where ${where} group by ${at}, ${names}`
    return [{ text, values }]
  }
  return ['', ...dimensions].map((dimension) => {
    const text =
      source === 'rollups_hour'
        ? `${into}'${dimension}', ${at}, ${dimension === '' ? "''" : `"${dimension}"`}, ${sums} from ${source} ` +
          `where ${where} group by ${at}${dimension === '' ? '' : `, "${dimension}"`}`
        : `${into}dimension, ${at}, name, ${sums} from ${source} ` +
          `where dimension = '${dimension}' and ${where} group by dimension, ${at}, name`
    return { text, values }
  })
}

function endStatement(table: string, until: number, place: Place): Statement {
  const text =
    `insert into summary_ends (name, until) values (${place(1)}, ${place(2)}) ` +
    'on conflict (name) do update set until = excluded.until'
  return { text, values: [table, until] }
}

/** The keys of the rows that a row of hours or days counts in. */
function keysIn(
  { isByOne }: Summary,
  at: number,
  names: readonly string[],
): readonly (readonly (string | number)[])[] {
  if (!isByOne) return [[at, ...names]]
  return [['', at, ''], ...dimensions.map((dimension, index) => [dimension, at, names[index] ?? ''])]
}

function addTo(summary: Summary, place: Place): string {
  const { table } = summary
  const keys = keyColumns(summary)
  const columns = [...keys, ...measures]
  const added = measures.map((name) => `${name} = ${table}.${name} + excluded.${name}`)
  return (
    `insert into ${table} (${columns.join(', ')}) values (${columns.map((_, index) => place(index + 1)).join(', ')}) ` +
    `on conflict (${keys.join(', ')}) do update set ${added.join(', ')}`
  )
}
