import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createHealthRegistry, type HealthRegistry } from '../../../src/core/health/health-registry.ts'
import { Failure } from '../../../src/core/model/failure.ts'
import type { Deployment, Random, Upstream, UpstreamHealth } from '../../../src/core/model/ports.ts'
import { type ProbesParts, startProbes } from '../../../src/main/upstreams/probes.ts'
import { aDeployment, scriptedUpstream, timersClock } from '../../harness/scripted-upstream.ts'
import { levels, logLines } from '../log-lines.ts'

const intervalMs = 30_000
const timeoutMs = 5000

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] })
})
afterEach(() => {
  vi.useRealTimers()
})

describe('an upstream is asked', () => {
  test.for([
    [0, 0],
    [0.25, 7500],
    [0.999, 29_970],
  ])('first at the drawn part %f of an interval: after %i ms', async ([drawn = 0, firstMs = 0]) => {
    const upstream = askable('one')
    using _probing = start([aDeployment(upstream)], { random: () => drawn })
    if (firstMs > 0) {
      await vi.advanceTimersByTimeAsync(firstMs - 1)
      expect(upstream.asked).toHaveLength(0)
    }
    await vi.advanceTimersByTimeAsync(1)
    expect(upstream.asked).toHaveLength(1)
  })

  test.for([
    [0, 27_000],
    [0.5, 30_000],
    [1, 33_000],
  ])('then, with a draw of %f, %i ms after it answered', async ([drawn = 0, nextMs = 0]) => {
    const upstream = askable('one')
    const draws = [0, drawn]
    using _probing = start([aDeployment(upstream)], { random: () => draws.shift() ?? 0.5 })
    await vi.advanceTimersByTimeAsync(0)
    expect(upstream.asked).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(nextMs - 1)
    expect(upstream.asked).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(1)
    expect(upstream.asked).toHaveLength(2)
  })

  test('never while it owes an answer, and no longer than it is given', async () => {
    const upstream = askable('one', never)
    using probing = start([aDeployment(upstream)], { intervalMs: 1000, timeoutMs: 9000 })
    await vi.advanceTimersByTimeAsync(500 + 8999)
    expect(upstream.asked).toHaveLength(1)
    expect(upstream.asked[0]?.aborted).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    expect(upstream.asked[0]?.aborted).toBe(true)
    expect(probing.report('some-model@one')).toMatchObject({
      failuresInARow: 1,
      probe: { atEpochMs: Date.now(), answer: { kind: 'timeout', provider: 'one' } },
    })
    await vi.advanceTimersByTimeAsync(1000)
    expect(upstream.asked).toHaveLength(2)
  })

  test('once for all its deployments, and each is reported', async () => {
    const upstream = askable('one', async () => ({ isReady: true, queued: 2 }))
    const ids = ['m@one', 'n@one', 'm@one']
    using probing = start(ids.map((id) => aDeployment(upstream, { id })))
    await vi.advanceTimersByTimeAsync(intervalMs / 2)
    expect(upstream.asked).toHaveLength(1)
    for (const id of ids) expect(probing.report(id)?.probe?.answer).toEqual({ isReady: true, queued: 2 })
  })

  test('whatever becomes of the others', async () => {
    const [hung, well] = [askable('hung', never), askable('well')]
    using _probing = start([aDeployment(hung), aDeployment(well)], { timeoutMs: 1e9 })
    await vi.advanceTimersByTimeAsync(10 * intervalMs)
    expect([hung.asked.length, well.asked.length]).toEqual([1, 10])
  })
})

test('an upstream that has nothing to ask, or would be woken, is not asked, and the log says so', async () => {
  const mute = scriptedUpstream([[]], { name: 'mute' })
  const sleeper = askable('sleeper', well, { healthWakes: true })
  const asked = askable('asked', well, { healthWakes: false })
  using probing = start([aDeployment(mute), aDeployment(sleeper), aDeployment(asked)])
  await vi.advanceTimersByTimeAsync(5 * intervalMs)
  expect(sleeper.asked).toEqual([])
  expect(asked.asked).not.toEqual([])
  expect(probing.logged()[0]).toMatchObject({ asked: ['asked'], notAsked: ['mute', 'sleeper'] })
  expect(probing.report('some-model@sleeper')?.probe).toBeUndefined()
})

describe('what a place says', () => {
  const gone = async () => Promise.reject(new Failure('unreachable', 'Gone.'))

  test('opens the breaker after five bad words, and closes it after its time', async () => {
    let say: () => Promise<UpstreamHealth> = gone
    const upstream = askable('one', () => say())
    using probing = start([aDeployment(upstream)])
    await vi.advanceTimersByTimeAsync(4.5 * intervalMs - 1)
    expect(probing.report('some-model@one')).toMatchObject({ breaker: 'closed', failuresInARow: 4 })
    await vi.advanceTimersByTimeAsync(1)
    expect(probing.report('some-model@one')).toMatchObject({ breaker: 'open', attempts: 0, successRate: 1 })
    say = well
    await vi.advanceTimersByTimeAsync(intervalMs)
    expect(probing.report('some-model@one')).toMatchObject({ breaker: 'closed', failuresInARow: 0 })
  })

  test.for<[string, () => Promise<UpstreamHealth>]>([
    ['sleeps', async () => ({ isReady: false, idleWorkers: 0, busyWorkers: 0 })],
    ['refuses our key', async () => Promise.reject(new Failure('upstream_auth', 'No.'))],
    ['throws what is a bug', async () => Promise.reject(new TypeError('Oh.'))],
  ])('is nothing against it where it %s', async ([, say]) => {
    using probing = start([aDeployment(askable('one', say))])
    await vi.advanceTimersByTimeAsync(20 * intervalMs)
    expect(probing.report('some-model@one')).toMatchObject({ breaker: 'closed', failuresInARow: 0 })
    expect(probing.report('some-model@one')?.probe).toBeDefined()
  })

  test('is logged when it is another than before', async () => {
    const note = { operatorNote: 'providers.one.apiKey', upstreamStatus: 401 }
    const words: (() => Promise<UpstreamHealth>)[] = [
      ...[gone, gone, well, well],
      ...[async () => ({ isReady: false, idleWorkers: 0 }), async () => ({ isReady: false })],
      async () => Promise.reject(new Failure('upstream_auth', 'No.', note)),
    ]
    const upstream = askable('one', () => (words.shift() ?? never)(new AbortController().signal))
    using probing = start([aDeployment(upstream)])
    await vi.advanceTimersByTimeAsync(7 * intervalMs)
    const told = probing.logged().slice(1)
    const line = { provider: 'one', msg: 'the provider was probed' }
    expect(told).toMatchObject([
      { ...line, level: levels.warn, outcome: 'failed', failure: 'unreachable' },
      { ...line, level: levels.info, outcome: 'ready' },
      { ...line, level: levels.info, outcome: 'asleep' },
      { ...line, level: levels.warn, outcome: 'unready' },
      { ...line, level: levels.warn, outcome: 'failed', failure: 'upstream_auth', ...note },
    ])
    expect(told).toHaveLength(5)
  })
})

describe('once they are stopped', () => {
  test('nobody is asked any more, and no timer is left', async () => {
    const upstream = askable('one')
    const probing = start([aDeployment(upstream)])
    await vi.advanceTimersByTimeAsync(intervalMs / 2)
    probing[Symbol.dispose]()
    expect(vi.getTimerCount()).toBe(0)
    await vi.advanceTimersByTimeAsync(10 * intervalMs)
    expect(upstream.asked).toHaveLength(1)
  })

  test('a running question is given up, and its end is told to nobody', async () => {
    const upstream = askable('one', never)
    const probing = start([aDeployment(upstream)])
    await vi.advanceTimersByTimeAsync(intervalMs / 2)
    probing[Symbol.dispose]()
    expect(upstream.asked[0]?.aborted).toBe(true)
    await vi.advanceTimersByTimeAsync(10 * intervalMs)
    expect(probing.report('some-model@one')?.probe).toBeUndefined()
    expect(vi.getTimerCount()).toBe(0)
    expect(probing.logged()).toHaveLength(1)
    expect(upstream.asked).toHaveLength(1)
  })
})

type Askable = Upstream & { readonly asked: readonly AbortSignal[] }

type Say = (signal: AbortSignal) => Promise<UpstreamHealth>

async function well(): Promise<UpstreamHealth> {
  return { isReady: true }
}

function never(signal: AbortSignal): Promise<UpstreamHealth> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason))
  })
}

function askable(name: string, say: Say = well, change: Partial<Upstream> = {}): Askable {
  const asked: AbortSignal[] = []
  const health = (signal: AbortSignal) => {
    asked.push(signal)
    return say(signal)
  }
  return { ...scriptedUpstream([[]], { name, health, ...change }), asked }
}

type Probing = Disposable & {
  report(id: string): ReturnType<HealthRegistry['snapshot']>[number] | undefined
  logged(): readonly object[]
}

function start(
  deployments: readonly Deployment[],
  change: Partial<ProbesParts> & { readonly random?: Random } = {},
): Probing {
  const { log, lines: logged } = logLines()
  const ids = deployments.map(({ id }) => id)
  const standings = createHealthRegistry(ids, timersClock, () => 0)
  const usual = { intervalMs, timeoutMs, clock: timersClock, random: () => 0.5, log }
  const probes = startProbes({ deployments, standings, ...usual, ...change })
  return {
    report: (id) => standings.snapshot().find((one) => one.id === id),
    logged,
    [Symbol.dispose]: () => probes[Symbol.dispose](),
  }
}
