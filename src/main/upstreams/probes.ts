import type { Logger } from 'pino'
import type { HealthRegistry } from '../../core/health/health-registry.ts'
import { outcomeOf, type Probe } from '../../core/health/probe.ts'
import { asFailure, Failure } from '../../core/model/failure.ts'
import type { Clock, Deployment, Random, Upstream, UpstreamHealth } from '../../core/model/ports.ts'
import { type Bounds, withTimeout } from './with-timeout.ts'

export type ProbesParts = {
  readonly deployments: Iterable<Deployment>
  readonly standings: Pick<HealthRegistry, 'probed'>
  readonly intervalMs: number
  /** The timeout of one probe. */
  readonly timeoutMs: number
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
}

/**
 * Probes the health of every upstream that supports it, at intervals until it is disposed, and reports it to the health
 * of its deployments. Runs no model, so a probe costs only a request; upstreams that a probe would wake, or keep awake,
 * are not probed. Each upstream gets one probe at a time.
 */
export function startProbes(parts: ProbesParts): Disposable {
  const { deployments, log, intervalMs } = parts
  const idsOf = Map.groupBy(deployments, ({ upstream }) => upstream)
  const upstreams = [...idsOf.keys()]
  const asked = upstreams.filter(isAskable)
  const others = upstreams.filter((upstream) => !isAskable(upstream))
  const names = { asked: asked.map(({ name }) => name), notAsked: others.map(({ name }) => name) }
  log.info(
    { ...names, intervalMs },
    'probing providers; those not listed here have no health check, or would be woken',
  )
  const watches = new DisposableStack()
  for (const upstream of asked) {
    const ids = new Set(idsOf.get(upstream)?.map(({ id }) => id))
    watches.use(watch(upstream, ids, parts))
  }
  return watches
}

type Askable = Upstream & Required<Pick<Upstream, 'health'>>

function isAskable(upstream: Upstream): upstream is Askable {
  return upstream.health !== undefined && upstream.healthWakes !== true
}

function watch(upstream: Askable, ids: ReadonlySet<string>, parts: ProbesParts): Disposable {
  const { standings, intervalMs, timeoutMs, clock, random, log } = parts
  const stopped = new AbortController()
  let timer: NodeJS.Timeout
  let lastWord = ''
  const after = (waitMs: number) => {
    timer = setTimeout(probe, waitMs)
    timer.unref()
  }
  const probe = async () => {
    const answer = await ask(upstream, { timeoutMs, signal: stopped.signal })
    if (stopped.signal.aborted) return
    const seen: Probe = { atEpochMs: clock.epochMs(), answer }
    for (const id of ids) standings.probed(id, seen)
    lastWord = tell(upstream, seen, lastWord, log)
    after(intervalMs * (1 + (random() - 0.5) * jitter))
  }
  after(intervalMs * random())
  return {
    [Symbol.dispose]() {
      clearTimeout(timer)
      stopped.abort()
    },
  }
}

/** The random part of an interval, so that gateways that started together do not probe together. */
const jitter = 0.2

/** The answer, or the reason why there is none. Never rejects. */
async function ask(upstream: Askable, bounds: Bounds): Promise<UpstreamHealth | Failure> {
  try {
    return await withTimeout(upstream, (signal) => upstream.health(signal), bounds)
  } catch (thrown) {
    return asFailure(thrown)
  }
}

/** Logs a result that differs from the last one, and returns it. */
function tell({ name: provider }: Upstream, probe: Probe, lastWord: string, log: Logger): string {
  const { answer } = probe
  const outcome = outcomeOf(probe)
  const failure = answer instanceof Failure ? answer : undefined
  const word = failure === undefined ? outcome : failure.kind
  if (word === lastWord) return word
  const { kind, upstreamStatus, operatorNote } = failure ?? {}
  const level = outcome === 'unready' || outcome === 'failed' ? 'warn' : 'info'
  log[level]({ provider, outcome, failure: kind, upstreamStatus, operatorNote }, 'the provider was probed')
  return word
}
