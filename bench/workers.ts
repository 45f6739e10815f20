import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { askOf, compilingRequests, sendRequests } from './load/counted-requests.ts'
import { type LoadClients, startLoadClients } from './load/load-clients.ts'
import { createCrew } from './setup/crew.ts'
import type { Placement } from './setup/machine.ts'
import { cpuSeconds, residentBytes } from './setup/process-usage.ts'
import { smallChat } from './setup/scenarios.ts'
import { createTargets, type Target } from './setup/targets.ts'

/**
 * What a request costs in processor time with one process, and with so many workers, all processes of the gateway
 * together; and the memory of each. Both gateways run at the same time and take turns, so that a busy machine is busy
 * for both. Then what workers cost beside as many separate gateways that are asked at the same time: one process that has
 * a processor to itself does more in each turn of its event loop. `npm run bench:workers -- 2`
 */
async function main([words = '2']: readonly string[]): Promise<void> {
  const counts = [1, ...words.split(',').map(Number)]
  const scratch = mkdtempSync(join(tmpdir(), 'bench-workers-'))
  const crew = createCrew(scratch)
  process.once('exit', () => {
    crew.dismiss()
    rmSync(scratch, { recursive: true, force: true })
  })
  const common = { crew, placement: anywhere, control: false }
  const { port } = await createTargets({ ...common, scratch }).startUpstream()
  const load = startLoadClients(crew, anywhere)
  const startOne = async (workers: number, name: string) => {
    const place = join(scratch, name)
    mkdirSync(place)
    const environment = { WORKERS: String(workers), DATA_DIR: join(place, 'data') }
    const target = await createTargets({ ...common, scratch: place, environment }).startGateway(port)
    await sendRequests(target, load, compilingRequests * workers)
    return target
  }
  const gateways: Gateway[] = []
  for (const workers of counts) {
    const target = await startOne(workers, `gateway-${workers}`)
    gateways.push({ workers, target, micros: [], primary: [] })
  }
  for (let round = 0; round < rounds; round++) {
    for (const { workers, target, micros, primary } of gateways) {
      const before = secondsOf(target)
      const primaryBefore = cpuSeconds(target.member.pid)
      await askFor(load, target, workers)
      micros.push(((secondsOf(target) - before) / requestsEach) * 1e6)
      primary.push(((cpuSeconds(target.member.pid) - primaryBefore) / requestsEach) * 1e6)
    }
  }
  tell(gateways)
  const last = gateways.at(-1)
  if (last !== undefined && last.workers > 1) {
    const separate = await Promise.all(
      Array.from({ length: last.workers }, (_, at) => startOne(1, `separate-${at}`)),
    )
    const loads = [load, ...separate.slice(1).map(() => startLoadClients(crew, anywhere))]
    const ratios = await compare(loads, last.target, separate)
    gateways.push(...separate.map((target) => ({ workers: 1, target, micros: [], primary: [] })))
    console.log(`${last.workers} workers to as many separate gateways: ${spreadOf(ratios)}`)
  }
  // What a gateway is told to do ends what it has started.
  for (const { target } of gateways) process.kill(target.member.pid, 'SIGTERM')
}

type Gateway = {
  readonly workers: number
  readonly target: Target
  readonly micros: number[]
  readonly primary: number[]
}

const rounds = 9
const requestsEach = 8000
const anywhere: Placement = { upstream: undefined, proxy: undefined, load: [undefined] }

/** By round, of the processor time of a request: that of workers to that of as many gateways under the same load. */
async function compare(
  loads: readonly LoadClients[],
  workers: Target,
  separate: readonly Target[],
): Promise<readonly number[]> {
  const ratios: number[] = []
  const costOf = async (targets: readonly Target[], asked: (at: number) => Target) => {
    const seconds = () => targets.reduce((sum, target) => sum + secondsOf(target), 0)
    const before = seconds()
    await Promise.all(loads.map((load, at) => askFor(load, asked(at), 1)))
    return seconds() - before
  }
  for (let round = 0; round < rounds; round++) {
    const apart = await costOf(separate, (at) => separate[at] ?? workers)
    ratios.push((await costOf([workers], () => workers)) / apart)
  }
  return ratios
}

/** So many callers for each process: how much a process does at a time is a part of what that costs. */
async function askFor(load: LoadClients, target: Target, workers: number): Promise<void> {
  await load.alone({
    kind: 'closed-loop',
    ask: askOf(target, smallChat),
    connections: smallChat.connections * workers,
    durationMs: 120_000,
    mostRequests: requestsEach,
  })
}

function tell(gateways: readonly Gateway[]): void {
  const [alone] = gateways
  for (const { workers, target, micros, primary } of gateways) {
    const ratios = micros.map((one, round) => one / (alone?.micros[round] ?? one))
    const memory = processesOf(target).map((pid) => Math.round(residentBytes(pid) / 2 ** 20))
    console.log(
      `${workers} ${workers === 1 ? 'process' : 'workers'}: ${median(micros).toFixed(0)} µs of processor time a request` +
        `${workers === 1 ? '' : `, ${median(primary).toFixed(0)} of them the primary's`}, ` +
        `${spreadOf(ratios)} of one process's; resident MiB: ${memory.join(' + ')}`,
    )
  }
}

function spreadOf(ratios: readonly number[]): string {
  return `${median(ratios).toFixed(2)} (${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)})`
}

function secondsOf(target: Target): number {
  return processesOf(target).reduce((sum, pid) => sum + cpuSeconds(pid), 0)
}

/** The gateway's own process, and those that it has started. */
function processesOf({ member }: Target): readonly number[] {
  const children = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => parentOf(pid) === member.pid)
  return [member.pid, ...children]
}

function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
  } catch {
    return undefined
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN
}

await main(process.argv.slice(2))
process.exit(0)
