import { batchOf, type CallRow } from '../../src/ledger/store/batch.ts'
import { dayMs, dimensions, measures } from '../../src/ledger/store/rollup.ts'
import type { Store } from '../../src/ledger/store/store.ts'
import { days, lineOf, randomFrom, startMs } from './made-call.ts'

/** How one database repeats rows. */
export type Repeating = {
  /** Asks each statement; gives all rows. */
  ask(statements: readonly string[]): Promise<readonly object[]>
  /** The expression for an id like that of the row, with another time. */
  newId(at: string): string
  demandDays(calls: readonly Pick<CallRow, 'at'>[]): Promise<void>
  /** Columns of calls that it has beside those of all. */
  readonly ownColumns: readonly string[]
}

/**
 * Fills a store with calls, the same each time. The first tenth is written as the shipper does, with its sums; the
 * database repeats it for the other days, in a quarter of the time.
 */
export async function fill(openStore: () => Store, count: number, repeating: Repeating): Promise<void> {
  {
    await using store = openStore()
    await writeFirst(store, count)
  }
  const { ask, newId, demandDays, ownColumns } = repeating
  const kept = ['"key"', 'team', 'model', 'status', ...ownColumns].join(', ')
  for (let part = 1; part < parts; part++) {
    const shiftMs = part * partMs
    const starts = Array.from({ length: days / parts }, (_, day) => startMs + shiftMs + day * dayMs)
    await demandDays(starts.map((at) => ({ at })))
    const at = `at + ${shiftMs}`
    const first = `where at < ${startMs + partMs}`
    await ask([
      `insert into calls (id, at, ${kept}, line) select ${newId(at)}, ${at}, ${kept}, replace(line, id, ${newId(at)}) from calls ${first}`,
      ...sumTables.map(
        (table) => `insert into ${table} (at, ${columns}) select ${at}, ${columns} from ${table} ${first}`,
      ),
    ])
  }
}

const parts = 10
const partMs = (days / parts) * dayMs
const sumTables = ['rollups_hour', 'rollups_day']
const columns = [...dimensions.map((name) => `"${name}"`), ...measures].join(', ')

async function writeFirst(store: Store, count: number): Promise<void> {
  const random = randomFrom(1)
  const firsts = Math.floor(count / parts)
  for (let first = 0; first < firsts; first += batchCalls) {
    const size = Math.min(batchCalls, firsts - first)
    const lines = Array.from({ length: size }, (_, at) => lineOf(first + at, count, random))
    await store.write('bench', batchOf(lines, { segment: 1, offset: first + size }))
  }
}

/** Large, so that each sum is written once for many calls. */
const batchCalls = 20_000
