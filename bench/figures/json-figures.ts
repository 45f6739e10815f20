import { askOf, compilingRequests } from '../load/counted-requests.ts'
import type { LoadClients } from '../load/load-clients.ts'
import { probeJson } from '../load/probe.ts'
import type { Means } from '../setup/effort.ts'
import { cpuSeconds } from '../setup/process-usage.ts'
import type { JsonScenario } from '../setup/scenarios.ts'
import type { Target, TargetName } from '../setup/targets.ts'
import { joinRounds, measureInRounds, type Rounds } from './rounds.ts'
import { compareRounds, median, percentile, type Spread } from './statistics.ts'

/** What one instance of every target did with one JSON scenario. */
export async function measureJson(
  scenario: JsonScenario,
  targets: readonly [Target, ...Target[]],
  { load, effort }: Means,
): Promise<JsonRounds> {
  for (const target of targets) {
    await probeJson(target, scenario)
    await saturate(target, scenario, { load, durationMs: effort.warmUpMs, mostRequests: compilingRequests })
  }
  const throughput = await measureInRounds(targets, effort.throughputRounds, (target) =>
    saturate(target, scenario, { load, durationMs: effort.throughputMs }),
  )
  const latency = await measureInRounds(targets, effort.latencyRounds, (target) =>
    measureLatency(target, scenario, { load, durationMs: effort.latencyMs }),
  )
  return { throughput, latency }
}

export type JsonRounds = { readonly throughput: Rounds<Throughput>; readonly latency: Rounds<Latency> }

/** Throughput and latency of one JSON scenario, over all instances. */
export function jsonFiguresOf(scenario: JsonScenario, instances: readonly JsonRounds[]): JsonFigures {
  const throughput = joinRounds(instances.map((instance) => instance.throughput))
  const latency = joinRounds(instances.map((instance) => instance.latency))
  return {
    title: scenario.title,
    ratePerSecond: scenario.ratePerSecond,
    perSecond: eachTarget((name) => median(throughput[name].map((round) => round.perSecond))),
    perCpuSecond: eachTarget((name) => median(throughput[name].map((round) => round.perCpuSecond))),
    busyShare: eachTarget((name) => median(throughput[name].map((round) => round.busyShare))),
    ratio: compareRounds(
      throughput.gateway.map((round) => round.perCpuSecond),
      throughput['pass-through'].map((round) => round.perCpuSecond),
      (gateway, passThrough) => gateway / passThrough,
    ),
    p50Us: eachTarget((name) => median(latency[name].map((round) => round.p50Us))),
    p99Us: eachTarget((name) => median(latency[name].map((round) => round.p99Us))),
  }
}

export type JsonFigures = {
  readonly title: string
  readonly ratePerSecond: number
  /** Answered in a second of the clock, with as much load as the target takes. */
  readonly perSecond: Record<TargetName, number>
  /** Answered for each second of processor time the target used: per core, however much of it there was. */
  readonly perCpuSecond: Record<TargetName, number>
  /** How much of one processor the target used meanwhile. */
  readonly busyShare: Record<TargetName, number>
  /** Of `perCpuSecond`: gateway by pass-through. */
  readonly ratio: Spread
  /** Latency at the fixed rate, in microseconds; NaN when the target could not hold the rate. */
  readonly p50Us: Record<TargetName, number>
  readonly p99Us: Record<TargetName, number>
}

function eachTarget(figure: (name: TargetName) => number): Record<TargetName, number> {
  return { direct: figure('direct'), 'pass-through': figure('pass-through'), gateway: figure('gateway') }
}

type Latency = { readonly p50Us: number; readonly p99Us: number }

type Throughput = { readonly perSecond: number; readonly perCpuSecond: number; readonly busyShare: number }

/** One go at one target. */
type Slice = {
  readonly load: LoadClients
  readonly durationMs: number
  /** Over all load clients; left out: as many as there is time for. */
  readonly mostRequests?: number
}

async function saturate(
  target: Target,
  scenario: JsonScenario,
  { load, durationMs, mostRequests = Number.MAX_SAFE_INTEGER }: Slice,
): Promise<Throughput> {
  const ask = askOf(target, scenario)
  const cpuBefore = cpuSeconds(target.member.pid)
  const outcome = await load.together((clients) => ({
    kind: 'closed-loop',
    ask,
    connections: Math.ceil(scenario.connections / clients),
    durationMs,
    mostRequests: Math.ceil(mostRequests / clients),
  }))
  const cpu = cpuSeconds(target.member.pid) - cpuBefore
  return {
    perSecond: outcome.requests / outcome.seconds,
    perCpuSecond: outcome.requests / cpu,
    busyShare: cpu / outcome.seconds,
  }
}

async function measureLatency(
  target: Target,
  scenario: JsonScenario,
  { load, durationMs }: Slice,
): Promise<Latency> {
  const ask = askOf(target, scenario)
  const outcome = await load.alone({
    kind: 'open-loop',
    ask,
    ratePerSecond: scenario.ratePerSecond,
    durationMs,
  })
  if (outcome.overrun) return { p50Us: Number.NaN, p99Us: Number.NaN }
  return {
    p50Us: percentile(outcome.latenciesMs, 0.5) * 1000,
    p99Us: percentile(outcome.latenciesMs, 0.99) * 1000,
  }
}
