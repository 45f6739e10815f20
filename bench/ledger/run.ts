import type { Store } from '../../src/ledger/store/store.ts'
import { median } from '../figures/statistics.ts'
import { type BenchLedger, openLedger } from './databases.ts'
import { endMs } from './made-call.ts'
import { pages } from './pages.ts'
import { everyReport } from './reports.ts'
import { shipTimes } from './ship.ts'

/**
 * Fills a ledger with calls of 90 days, and says how long a gateway takes for each report, each page of calls and each
 * page of the console, and its shipper for a call. `npm run bench:ledger -- 10000000 postgres` does so in a Postgres of
 * its own; a directory or the address of an empty database in its place is kept, and filled only once. `--only WORD` asks
 * what has the word in its name.
 */
async function main(words: readonly string[]): Promise<void> {
  const at = words.indexOf('--only')
  const only = at === -1 ? '' : (words[at + 1] ?? '')
  const [count = '10000000', place] = at === -1 ? words : words.slice(0, at)
  if (!/^\d{4,9}$/.test(count))
    throw new Error(
      'usage: npm run bench:ledger -- [CALLS] [DIRECTORY | postgres | postgres://...] [--only WORD]',
    )
  await using ledger = await openLedger(place, Number(count))
  console.log(`${count} calls, ${((await ledger.bytes()) / 1024 ** 3).toFixed(1)} GiB\n`)
  {
    await using store = ledger.openStore()
    await summarize(store)
  }
  if (only === '') {
    await using store = ledger.openStore()
    const { us, processorUs } = await shipTimes(store)
    console.log(
      `shipping: ${us.toFixed(1)} µs a call, ${processorUs.toFixed(1)} µs of the processor, medians of batches\n`,
    )
  }
  await using gateway = await ledger.startGateway()
  console.log(heading)
  const asked = everyReport(Number(count)).filter(({ name }) => name.includes(only))
  const timesOf = (paths: readonly string[]) => timesOfAll(paths, gateway.url, ledger)
  for (const { name, path, goalMs } of asked) say(name, await timesOf([path]), goalMs)
  console.log('\nPages of the console, all of their requests at once')
  for (const [name, paths] of pages.filter(([name]) => name.includes(only)))
    say(`${name} (${paths.length})`, await timesOf(paths), 300)
}

/** As the shipper does, some minutes before the end of the last day. */
async function summarize(store: Store): Promise<void> {
  await store.migrate()
  const before = process.cpuUsage()
  let steps = 0
  while (!(await store.rollUp(endMs - 600_000))) steps++
  const { user, system } = process.cpuUsage(before)
  console.log(`summaries: ${steps} steps, ${((user + system) / 1e6).toFixed(1)} s of the processor`)
}

const heading = `${''.padEnd(56)}     best   median    worst  processor  database's, ms`

/** Of each round, in milliseconds. */
type Times = {
  readonly ms: readonly number[]
  readonly processorMs: readonly number[]
  readonly databaseMs: readonly number[]
}

function say(name: string, { ms, processorMs, databaseMs }: Times, goalMs: number): void {
  const [best, worst] = [Math.min(...ms), Math.max(...ms)]
  const middle = median(ms)
  const over = middle > goalMs ? `  over ${goalMs}` : worst > goalMs ? '  at worst' : ''
  const figures = [best, middle, worst, Math.min(...processorMs), Math.min(...databaseMs)]
  console.log(`${name.padEnd(56)} ${figures.map((one) => one.toFixed(1).padStart(8)).join(' ')}${over}`)
}

const rounds = 5

/**
 * As a browser asks: all at once. The processor's time is that of this process, and of a database outside it. Of each,
 * the least is reported: other work on the same processors makes it longer.
 */
async function timesOfAll(
  paths: readonly string[],
  url: string,
  ledger: Pick<BenchLedger, 'processorMs'>,
): Promise<Times> {
  const times = { ms: [] as number[], processorMs: [] as number[], databaseMs: [] as number[] }
  for (let round = 0; round < rounds; round++) {
    const before = process.cpuUsage()
    const databaseBefore = ledger.processorMs()
    const began = performance.now()
    await Promise.all(paths.map((path) => read(`${url}/admin/api${path}`)))
    times.ms.push(performance.now() - began)
    const { user, system } = process.cpuUsage(before)
    times.processorMs.push((user + system) / 1000)
    times.databaseMs.push(ledger.processorMs() - databaseBefore)
    // What takes long is not asked again.
    if ((times.ms[0] ?? 0) > 5000) break
  }
  return times
}

async function read(url: string): Promise<void> {
  const answer = await fetch(url)
  const text = await answer.text()
  if (answer.status !== 200 && answer.status !== 404) throw new Error(`${url}: ${answer.status} ${text}`)
}

await main(process.argv.slice(2))
