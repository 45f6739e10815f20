import { strict as assert } from 'node:assert'
import { setTimeout } from 'node:timers/promises'
import { startWatchedRedis } from '../../harness/redis-sentinel.ts'
import { noRedis, type RedisServer, startRedis } from '../../harness/redis-server.ts'
import { noPostgres, startPostgres } from '../../ledger/postgres-server.ts'
import type { FaultCase } from '../fault-case.ts'
import { agreeWithBill, callFleet, type Fleet, moneyOf, ownKeys, startFleet } from '../fleet.ts'
import type { Stage } from '../harness.ts'
import { until } from '../ledger-harness.ts'

/** Faults 32, 33 and 39, of three gateways over one Redis. */
export const nodeCases: readonly FaultCase[] = [
  {
    fault: 32,
    name: 'it stands still, for half a minute',
    outcome:
      'three nodes continue within their leased slices, and no call waits for it; afterwards it has everything that was billed',
    play: (stage) => lose(stage, { stop: (redis) => redis.stop(), back: async (redis) => redis.resume() }),
  },
  {
    fault: 32,
    name: 'it comes back with nothing',
    outcome:
      'the nodes tell it what was spent, held and uncertain; nothing that it acknowledged is forgotten',
    play: (stage) =>
      lose(stage, {
        stop: (redis) => redis.kill(),
        back: (redis) => redis.start(),
      }),
  },
  {
    fault: 32,
    name: 'a replica takes over from it',
    outcome:
      'the nodes continue within their leased slices until it has, and tell it what it does not know; nothing that the old one acknowledged is forgotten',
    play: failOver,
  },
  {
    fault: 33,
    name: 'under three nodes',
    outcome: 'no call fails, and budgets are as exact as before',
    play: loseTheDatabase,
  },
  {
    fault: 39,
    name: 'one of three nodes, at once, under load',
    outcome: 'the others continue; its holds become uncertain, settled once, and its places are free',
    play: killOne,
  },
]

type Loss = {
  readonly stop: (redis: RedisServer) => void | Promise<void>
  readonly back: (redis: RedisServer) => Promise<void>
}

const callersOfLoss = 9

async function lose(stage: Stage, { stop, back }: Loss): Promise<void> {
  if (noRedis !== undefined) return stage.note(`A shared store that is gone was not tried: ${noRedis}.`)
  await using redis = await startRedis()
  await using fleet = await startFleet({ redisUrl: redis.url })
  const callers = callFleet(fleet.balancer.url, callersOfLoss, ownKeys)
  await untilLeased(fleet)
  await stop(redis)
  const before = callers.answered()
  await until('every node knows', async () => (await fleet.shared()).every(({ status }) => status === 'away'))
  await setTimeout(stage.isLong ? 30_000 : 500)
  await until('calls continue', () => callers.answered() > before + 30)
  for (const { url } of fleet.nodes) assert.equal((await fetch(`${url}/readyz`)).status, 200)
  await back(redis)
  await continueAndAgree(fleet, callers)
  stage.note(
    `Redis was gone under three nodes: ${callers.answered()} calls were answered, and all are accounted for.`,
  )
}

async function failOver(stage: Stage): Promise<void> {
  if (noRedis !== undefined) return stage.note(`A replica that takes over was not tried: ${noRedis}.`)
  await using redis = await startWatchedRedis()
  const shared = { goneAfterMs: 2000, redis: { mode: 'sentinel', sentinelName: redis.name, timeoutMs: 1000 } }
  await using fleet = await startFleet({ redisUrl: redis.url, shared })
  const callers = callFleet(fleet.balancer.url, callersOfLoss, ownKeys)
  await untilLeased(fleet)
  await redis.master.kill()
  await until('the replica has taken over', () => redis.hasTakenOver())
  await continueAndAgree(fleet, callers)
  stage.note(
    `A replica took over under three nodes: ${callers.answered()} calls were answered, and all are accounted for.`,
  )
}

async function untilLeased(fleet: Fleet): Promise<void> {
  await until('every node has leased a slice', async () =>
    (await fleet.shared()).every(({ leased_usd: leased }) => Number(leased) > 0),
  )
}

/** Calls go on with Redis, none was refused or lost at any time, and the bill agrees. */
async function continueAndAgree(fleet: Fleet, callers: ReturnType<typeof callFleet>): Promise<void> {
  await until('it knows what happened', () => isTold(fleet))
  const after = callers.answered()
  await until('calls continue', () => callers.answered() > after + 30)
  await callers.stop()
  assert.deepEqual(
    callers.seen.filter(({ status }) => status !== 200),
    [],
    'a call was refused',
  )
  assert.deepEqual(callers.lost(), [])
  await agree(fleet)
}

async function loseTheDatabase(stage: Stage): Promise<void> {
  const why = noRedis ?? noPostgres
  if (why !== undefined)
    return stage.note(`A database that fails over under three nodes was not tried: ${why}.`)
  await using redis = await startRedis()
  await using postgres = await startPostgres()
  await using fleet = await startFleet({ redisUrl: redis.url, databaseUrl: await postgres.createDatabase() })
  const callers = callFleet(fleet.balancer.url, 9)
  await until('some calls are answered', () => callers.answered() > 50)
  await postgres.kill()
  const before = callers.answered()
  await setTimeout(stage.isLong ? 30_000 : 500)
  await until('calls continue', () => callers.answered() > before + 50)
  await postgres.start()
  await callers.stop()
  assert.deepEqual(
    callers.seen.filter(({ status }) => status !== 200),
    [],
    'a call was refused',
  )
  await agree(fleet)
}

async function killOne(stage: Stage): Promise<void> {
  if (noRedis !== undefined) return stage.note(`A node that dies was not tried: ${noRedis}.`)
  await using redis = await startRedis()
  await using fleet = await startFleet({ redisUrl: redis.url })
  const callers = callFleet(fleet.balancer.url, 12)
  await until('some calls are answered', () => callers.answered() > 50)
  const [first] = fleet.nodes
  if (first !== undefined) await fleet.lose(first)
  const before = callers.answered()
  await until('the others continue', () => callers.answered() > before + 100)
  await until('they know', async () => (await fleet.shared()).every(({ nodes }) => nodes === 2))
  await callers.stop()
  assert.deepEqual(
    callers.seen.filter(({ status }) => ![200, 502].includes(status)),
    [],
    'a call was refused',
  )
  await until('nothing is held', async () => (await moneyOf(last(fleet))).held_nano_usd === 0)
  await agree(fleet)
  const { uncertain_nano_usd: uncertain } = await moneyOf(last(fleet))
  stage.note(`One of three nodes was killed: ${uncertain / 1e9} USD of what it held are uncertain.`)
}

async function isTold(fleet: Fleet): Promise<boolean> {
  return (await fleet.shared()).every(({ status, untold }) => status === 'ok' && untold === 0)
}

async function agree(fleet: Fleet): Promise<void> {
  await until('all is told', () => isTold(fleet))
  await agreeWithBill(last(fleet), fleet.upstream)
}

/** None of the cases kills that one. */
function last({ nodes }: Fleet) {
  const node = nodes.at(-1)
  assert(node !== undefined)
  return node
}
