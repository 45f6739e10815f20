import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type JsonRounds, jsonFiguresOf, measureJson } from './figures/json-figures.ts'
import { measureOpenStreams, measureResident } from './figures/memory-figures.ts'
import { type Report, renderReport } from './figures/report.ts'
import { measureStreams, type StreamRounds, streamFiguresOf } from './figures/stream-figures.ts'
import { compilingRequests, sendRequests } from './load/counted-requests.ts'
import { startLoadClients } from './load/load-clients.ts'
import { type Crew, createCrew } from './setup/crew.ts'
import { fullEffort, type Means, quickEffort } from './setup/effort.ts'
import { describeMachine } from './setup/machine.ts'
import { type Options, readOptions } from './setup/options.ts'
import { machineCpuSeconds } from './setup/process-usage.ts'
import { jsonScenarios, streamScenarios } from './setup/scenarios.ts'
import { createTargets, type Target, type Targets } from './setup/targets.ts'

/**
 * The benchmark: one mock upstream, asked directly, through a bare pass-through (node:http and undici's
 * `dispatch`, nothing else) and through the gateway with everything on, in one run on one machine.
 *
 * Every server is a process of its own, and so are the load clients; `taskset` gives the proxy under test a processor
 * to itself. What is compared is work per second of processor time the kernel charged to the proxy, so a busy machine
 * or a load client that is too slow does not pass for a slow proxy. The targets take turns in short rounds; a ratio is
 * the median of the ratios within rounds, and its quartiles tell the noise. One process of the same program may be
 * quicker than another: every target is started several times. Absolute figures belong to the machine; the ratios
 * travel.
 *
 * Slowness is reported, never failed: a non-zero exit means a wrong answer or a process that died.
 */
async function main(words: readonly string[]): Promise<void> {
  if (!existsSync('/proc/self/stat')) throw new Error('the benchmark reads /proc, and so needs Linux')
  const options = readOptions(words)
  const scratch = mkdtempSync(join(tmpdir(), 'gateway-bench-'))
  const crew = createCrew(scratch)
  process.once('exit', () => {
    crew.dismiss()
    rmSync(scratch, { recursive: true, force: true })
  })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      console.error(`interrupted by ${signal}`)
      process.exit(1)
    })
  }
  const report = await Promise.race([measure(options, crew, scratch), crew.lost])
  const page = renderReport(report)
  console.log(`\n${page}`)
  console.log(`Kept in ${keep(report, page)}`)
}

async function measure(options: Options, crew: Crew, scratch: string): Promise<Report> {
  const machine = describeMachine()
  const effort = options.quick ? quickEffort : fullEffort
  const { placement } = machine
  const targets = createTargets({ crew, placement, scratch, control: options.control })
  const foreign = watchForeignWork(crew)
  const upstream = await targets.startUpstream()
  const means = { load: startLoadClients(crew, placement), effort }
  const bench = { options, upstream, targets, means }
  const measured = { ...(await measureSpeed(bench)), ...(await measureMemory(bench)) }
  const { quick, control } = options
  const date = new Date().toISOString().slice(0, 10)
  return { date, machine, foreignProcessors: foreign(), quick, control, ...measured }
}

/** Gives, when asked, how many processors others have kept busy since. */
function watchForeignWork(crew: Crew): () => number {
  const read = () => machineCpuSeconds() - crew.cpuSeconds() - process.cpuUsage().user / 1e6
  const [atStart, startedAt] = [read(), performance.now()]
  return () => Math.max(0, (read() - atStart) / ((performance.now() - startedAt) / 1000))
}

/** All that stands ready before anything is measured. */
type Bench = {
  readonly options: Options
  readonly upstream: Target
  readonly targets: Targets
  readonly means: Means
}

async function measureSpeed({
  options,
  upstream,
  targets,
  means,
}: Bench): Promise<Pick<Report, 'json' | 'streams'>> {
  const json = options.parts.includes('json') ? jsonScenarios : []
  const streams = options.parts.includes('stream') ? streamScenarios : []
  const rounds: { json: JsonRounds[][]; streams: StreamRounds[][] } = { json: [], streams: [] }
  const instances = json.length + streams.length === 0 ? 0 : means.effort.instances
  for (let instance = 1; instance <= instances; instance += 1) {
    tell(`instance ${instance} of ${instances}`)
    const compared: [Target, ...Target[]] = [
      upstream,
      await targets.startPassThrough(upstream.port),
      await targets.startGateway(upstream.port),
    ]
    for (const target of compared) await sendRequests(target, means.load, compilingRequests)
    rounds.json.push(await inTurn(json, (scenario) => measureJson(scenario, compared, means)))
    rounds.streams.push(await inTurn(streams, (scenario) => measureStreams(scenario, compared, means)))
    for (const target of compared) if (target !== upstream) await target.member.stop()
  }
  return {
    json: json.map((scenario, at) => jsonFiguresOf(scenario, placedAt(rounds.json, at))),
    streams: streams.map((scenario, at) => streamFiguresOf(scenario, placedAt(rounds.streams, at))),
  }
}

function placedAt<T>(instances: readonly (readonly T[])[], place: number): readonly T[] {
  return instances.flatMap((rounds) => rounds.slice(place, place + 1))
}

async function measureMemory({
  options,
  upstream,
  targets,
  means,
}: Bench): Promise<Pick<Report, 'openStream' | 'resident'>> {
  const startPassThrough = () => targets.startPassThrough(upstream.port)
  const startGateway = () => targets.startGateway(upstream.port)
  const both = async <Figure>(title: string, figure: (start: () => Promise<Target>) => Promise<Figure>) => {
    tell(title)
    return { passThrough: await figure(startPassThrough), gateway: await figure(startGateway) }
  }
  const openStream = options.parts.includes('stream')
    ? await both('memory per open stream', (start) => measureOpenStreams(start, means))
    : undefined
  const resident = options.parts.includes('memory')
    ? await both('resident memory', (start) => measureResident(start, means))
    : undefined
  return { openStream, resident }
}

async function inTurn<Scenario extends { readonly title: string }, Figures>(
  scenarios: readonly Scenario[],
  measureOne: (scenario: Scenario) => Promise<Figures>,
): Promise<Figures[]> {
  const figures: Figures[] = []
  for (const scenario of scenarios) {
    tell(scenario.title)
    figures.push(await measureOne(scenario))
  }
  return figures
}

function tell(title: string): void {
  console.error(`measuring: ${title}`)
}

/** Writes the report as JSON and Markdown; gives the folder. */
function keep(report: Report, page: string): string {
  const folder = join(import.meta.dirname, 'report')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'report.json'), `${JSON.stringify(report, null, 2)}\n`)
  writeFileSync(join(folder, 'report.md'), page)
  return folder
}

try {
  await main(process.argv.slice(2))
  process.exit(0)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}
