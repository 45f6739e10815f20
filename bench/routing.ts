import { createPriceBook } from '../src/catalog/price-book.ts'
import { loadConfig } from '../src/config.ts'
import { createDrains } from '../src/core/health/drains.ts'
import { createHealthRegistry, type HealthRegistry } from '../src/core/health/health-registry.ts'
import type { Call } from '../src/core/model/call.ts'
import { Failure } from '../src/core/model/failure.ts'
import { JsonText } from '../src/core/model/json/json-text.ts'
import type { Clock } from '../src/core/model/ports.ts'
import type { StrategyName } from '../src/core/model/terms.ts'
import { createPlanner, type Planner } from '../src/core/plan/planner.ts'
import { createRouter } from '../src/core/plan/router.ts'
import { createStickiness } from '../src/core/plan/stickiness.ts'
import { createRoutes } from '../src/main/upstreams/deployments.ts'
import { createUpstreams } from '../src/main/upstreams/upstreams.ts'
import { providers } from '../src/providers/all.ts'
import { onlyFile } from '../test/harness/only-file.ts'
import { median } from './figures/statistics.ts'

/**
 * What routing adds to a call: microseconds for one plan, from the call's body to the deployments in order, by
 * strategy and number of deployments, made as the gateway makes it. Run as `npm run bench:routing`; takes a few
 * seconds.
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

// As the gateway runs: src/start.js says why.
process.getBuiltinModule('node:v8').setFlagsFromString('--no-allocation-site-pretenuring')

const clock: Clock = { now: () => performance.now(), epochMs: () => Date.now() }
const model = 'zai-org/GLM-5.3'

const call: Call = {
  id: 'req_0123456789abcdef0123456789abcdef',
  dialect: 'chat',
  kind: 'chat',
  model,
  stream: true,
  includeUsage: false,
  body: JsonText.of({
    model,
    messages: [
      { role: 'system', content: 'You answer in one sentence. '.repeat(100) },
      { role: 'user', content: 'What is a gateway?' },
    ],
    tools: [{ type: 'function', function: { name: 'look_up', parameters: {} } }],
    max_tokens: 500,
  }),
  credential: undefined,
  deadlineMs: undefined,
}

console.log(`µs per plan on Node ${process.version}, medians of ${rounds} rounds of ${roundMs} ms`)
console.log(['deployments'.padEnd(12), ...sizes.map((size) => String(size).padStart(8))].join(''))
for (const strategy of strategies) {
  const figures = sizes.map((size) => {
    const planner = plannerOf(strategy, size)
    return microsecondsPer(() => planner.plan(call))
      .toFixed(2)
      .padStart(8)
  })
  console.log(strategy.padEnd(12) + figures.join(''))
}

/** The model at so many places, half of them at the listed price, the others at one of their own. */
function plannerOf(strategy: StrategyName, size: number): Planner {
  const places = Array.from({ length: size }, (_, place) => `p${place}`)
  const deployments = places.map((provider, place) => {
    const input = 0.1 + ((place * 7919) % 900) / 1000
    const price = { input, cachedInput: input / 10, output: input * 4 }
    return { provider, weight: 1 + (place % 5), tools: place % 20 !== 19, ...(place % 2 ? { price } : {}) }
  })
  const file = JSON.stringify({
    providers: Object.fromEntries(
      places.map((name) => [name, { type: 'together', apiKey: `key-of-${name}` }]),
    ),
    models: { [model]: { route: strategy, deployments } },
  })
  const environment = { GATEWAY_CONFIG: 'gateway.yaml' }
  const config = loadConfig({ environment, readFile: onlyFile(file), providers })
  const upstreams = createUpstreams(config, {
    clock,
    userAgent: 'bench',
    detokenizer: { decode: async () => '' },
  })
  const book = createPriceBook(config.catalog.data)
  const routes = createRoutes({ config, upstreams, book, clock, drains: createDrains() })
  const ids = routes.flatMap((route) => route.deployments.map(({ id }) => id))
  const standings = createHealthRegistry(ids, clock, Math.random)
  ids.forEach((id, place) => {
    goThrough(standings, id, place)
  })
  return createPlanner({
    router: createRouter(routes),
    ...{ standings, clock, stickiness: createStickiness(clock), attempts: undefined, random: Math.random },
  })
}

/** Some answers, and at every tenth deployment an error now and then. */
function goThrough(standings: HealthRegistry, id: string, place: number): void {
  for (let turn = 0; turn < 20; turn++) {
    const hasFailed = place % 10 === 9 && turn % 4 === 0
    standings
      .trackOf({ id })
      .insist()
      .end({
        failure: hasFailed ? new Failure('upstream_error', 'The upstream had an error.') : undefined,
        firstTokenMs: 100 + ((place * 37) % 400),
        completionTokens: 300,
        durationMs: 3000 + ((place * 53) % 4000),
      })
  }
}

function microsecondsPer(act: () => unknown): number {
  /** Kept, so that the compiler does not remove an unused result. */
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
