import type { Candidate } from '../src/core/candidate.ts'
import { Failure } from '../src/core/failure.ts'
import type { Call, StrategyName } from '../src/core/model.ts'
import type { Clock, Deployment, Upstream } from '../src/core/ports.ts'
import { createStandings, type Standings } from '../src/core/standings.ts'
import { createStickiness, prefixKeyOf } from '../src/core/stickiness.ts'
import { order } from '../src/core/strategies.ts'
import { needsOf, steer, suitable } from '../src/core/suitability.ts'
import { median } from './statistics.ts'

/**
 * What routing adds to a call: microseconds for one plan, from the call's body to the deployments in order, by
 * strategy and number of deployments. Run as `node bench/routing.ts`; takes a few seconds.
 */
const strategies: readonly StrategyName[] = [
  'fallback',
  'first',
  'weighted',
  'cheapest',
  'fastest',
  'balanced',
  'value',
]
const sizes = [1, 10, 100]
const rounds = 9
const roundMs = 25

const clock: Clock = { now: () => performance.now(), epochMs: () => Date.now() }
const promptTokens = 900
const expectedTokens = 300

const call: Call = {
  id: 'req_0123456789abcdef0123456789abcdef',
  dialect: 'chat',
  kind: 'chat',
  model: 'some-model',
  stream: true,
  includeUsage: false,
  body: {
    model: 'some-model',
    messages: [
      { role: 'system', content: 'You answer in one sentence. '.repeat(100) },
      { role: 'user', content: 'What is a gateway?' },
    ],
    tools: [{ type: 'function', function: { name: 'look_up', parameters: {} } }],
    max_tokens: 500,
  },
  source: undefined,
  credential: undefined,
  deadlineMs: undefined,
}

console.log(`µs per plan on Node ${process.version}, medians of ${rounds} rounds of ${roundMs} ms`)
console.log(['deployments'.padEnd(12), ...sizes.map((size) => String(size).padStart(8))].join(''))
for (const strategy of strategies) {
  const figures = sizes.map((size) => microsecondsPer(planner(strategy, size)).toFixed(2).padStart(8))
  console.log(strategy.padEnd(12) + figures.join(''))
}

function planner(strategy: StrategyName, size: number): () => unknown {
  const deployments = Array.from({ length: size }, (_, place) => aDeployment(place))
  const standings = createStandings(
    deployments.map(({ id }) => id),
    clock,
    Math.random,
  )
  deployments.forEach(({ id }, place) => {
    goThrough(standings, id, place)
  })
  const stickiness = createStickiness(clock)
  stickiness.remember(prefixKeyOf(call, 'tenant'), `some-model@p${size - 1}`, promptTokens)
  const parts = { random: Math.random, expectedTokens, incumbent: { id: undefined } }
  return () => {
    const now = clock.now()
    const candidates = deployments.map((deployment): Candidate => {
      return {
        deployment,
        expectedNanoUsd: expectedNanoUsd(deployment),
        standing: standings.standingOf(deployment.id, now),
      }
    })
    const { kept } = suitable(candidates, needsOf(call, promptTokens), undefined)
    const ordered = order(strategy, kept, parts)
    const key = prefixKeyOf(call, 'tenant')
    return steer(stickiness.prefer(key, ordered, promptTokens), undefined)
  }
}

/** Some answers, and at every tenth deployment an error now and then. */
function goThrough(standings: Standings, id: string, place: number): void {
  for (let turn = 0; turn < 20; turn++) {
    const hasFailed = place % 10 === 9 && turn % 4 === 0
    standings.insist(id).end({
      failure: hasFailed ? new Failure('upstream_error', 'The upstream had an error.') : undefined,
      firstTokenMs: 100 + ((place * 37) % 400),
      completionTokens: 300,
      durationMs: 3000 + ((place * 53) % 4000),
    })
  }
}

function expectedNanoUsd({ price }: Deployment): number | undefined {
  const { inputNanoUsdPerMillion: input, outputNanoUsdPerMillion: output } = price
  if (input === undefined || output === undefined) return undefined
  return (promptTokens * input + expectedTokens * output) / 1_000_000
}

function aDeployment(place: number): Deployment {
  const upstream: Upstream = {
    name: `p${place}`,
    clocks: { connectMs: 5000, firstTokenMs: 30_000, idleMs: 30_000, totalMs: 600_000 },
    retry: { retries: 1, delayMs: 200 },
    oneChoice: { text: false, chat: false },
    knownModels: [],
    admits: () => true,
    send: () => Promise.reject(new Failure('unreachable', 'Nothing is sent here.')),
    close: async () => undefined,
  }
  const inputNanoUsdPerMillion = 100_000_000 + ((place * 7919) % 900) * 1_000_000
  return {
    id: `some-model@p${place}`,
    upstream,
    upstreamModel: undefined,
    clocks: upstream.clocks,
    retry: upstream.retry,
    weight: 1 + (place % 5),
    price: {
      inputNanoUsdPerMillion,
      cachedInputNanoUsdPerMillion: inputNanoUsdPerMillion / 10,
      outputNanoUsdPerMillion: inputNanoUsdPerMillion * 4,
      nanoUsdPerSecond: undefined,
    },
    traits: { contextTokens: 131_072, maxOutputTokens: 8192, tools: place % 20 !== 19 },
  }
}

function microsecondsPer(act: () => unknown): number {
  /** Kept, so that no compiler leaves out what nobody looks at. */
  let last: unknown
  const round = () => {
    const startedAt = performance.now()
    let turns = 0
    while (performance.now() - startedAt < roundMs) {
      for (let turn = 0; turn < 50; turn++) last = act()
      turns += 50
    }
    return ((performance.now() - startedAt) * 1000) / turns
  }
  for (let warmUp = 0; warmUp < 3; warmUp++) round()
  const figure = median(Array.from({ length: rounds }, round))
  return last === undefined ? Number.NaN : figure
}
