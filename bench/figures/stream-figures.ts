import { askOf } from '../load/counted-requests.ts'
import type { LoadClients } from '../load/load-clients.ts'
import { probeStream } from '../load/probe.ts'
import type { Means } from '../setup/effort.ts'
import { cpuSeconds } from '../setup/process-usage.ts'
import type { StreamScenario } from '../setup/scenarios.ts'
import type { Target, TargetName } from '../setup/targets.ts'
import { joinRounds, measureInRounds, type Rounds } from './rounds.ts'
import { compareRounds, median, percentile, type Spread } from './statistics.ts'

/** What one instance of every target did with one stream scenario. */
export async function measureStreams(
  scenario: StreamScenario,
  targets: readonly [Target, ...Target[]],
  { load, effort }: Means,
): Promise<StreamRounds> {
  for (const target of targets) {
    await probeStream(target, scenario)
    await stream(target, scenario, { load, durationMs: effort.warmUpMs })
  }
  return await measureInRounds(targets, effort.streamRounds, (target) =>
    stream(target, scenario, { load, durationMs: effort.streamMs }),
  )
}

export type StreamRounds = Rounds<Round>

/** What one chunk of a stream costs, and how long the first byte takes, over all instances. */
export function streamFiguresOf(scenario: StreamScenario, instances: readonly StreamRounds[]): StreamFigures {
  const rounds = joinRounds(instances)
  const middle = (name: TargetName, figure: keyof Round) => median(rounds[name].map((round) => round[figure]))
  const eachTarget = (figure: keyof Round) => ({
    direct: middle('direct', figure),
    'pass-through': middle('pass-through', figure),
    gateway: middle('gateway', figure),
  })
  return {
    title: scenario.title,
    paced: scenario.pacingMs > 0,
    chunkCpuUs: eachTarget('chunkCpuUs'),
    chunksPerSecond: eachTarget('chunksPerSecond'),
    firstByteP50Us: eachTarget('firstByteP50Us'),
    firstByteP99Us: eachTarget('firstByteP99Us'),
    ratio: compareRounds(
      rounds.gateway.map((round) => round.chunkCpuUs),
      rounds['pass-through'].map((round) => round.chunkCpuUs),
      (gateway, passThrough) => passThrough / gateway,
    ),
  }
}

export type StreamFigures = {
  readonly title: string
  /** Otherwise the streams saturate the target, and its first bytes wait in line. */
  readonly paced: boolean
  /** Processor time of the target, in microseconds. */
  readonly chunkCpuUs: Record<TargetName, number>
  readonly chunksPerSecond: Record<TargetName, number>
  /** From sending the request to the first byte of the answer's body. */
  readonly firstByteP50Us: Record<TargetName, number>
  readonly firstByteP99Us: Record<TargetName, number>
  /** Chunks per processor second: gateway by pass-through. */
  readonly ratio: Spread
}

type Round = {
  readonly chunkCpuUs: number
  readonly chunksPerSecond: number
  readonly firstByteP50Us: number
  readonly firstByteP99Us: number
}

async function stream(
  target: Target,
  scenario: StreamScenario,
  { load, durationMs }: { readonly load: LoadClients; readonly durationMs: number },
): Promise<Round> {
  const ask = askOf(target, scenario)
  const staggerMs = (scenario.chunks * scenario.pacingMs) / scenario.concurrent
  const cpuBefore = cpuSeconds(target.member.pid)
  const outcome = await load.together((clients) => ({
    kind: 'streams',
    ask,
    concurrent: Math.ceil(scenario.concurrent / clients),
    staggerMs: staggerMs * clients,
    durationMs,
    leastEvents: scenario.chunks + eventsAfterText,
  }))
  const cpu = cpuSeconds(target.member.pid) - cpuBefore
  return {
    chunkCpuUs: (cpu / outcome.events) * 1e6,
    chunksPerSecond: outcome.events / outcome.seconds,
    firstByteP50Us: percentile(outcome.latenciesMs, 0.5) * 1000,
    firstByteP99Us: percentile(outcome.latenciesMs, 0.99) * 1000,
  }
}

/** The finish, the usage and the terminator. */
const eventsAfterText = 3
