import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { askFleet, askOnce, callFleet, type Fleet, moneyOf, startFleet } from '../../chaos/fleet.ts'
import { noRedis, type RedisServer, startRedis } from '../../harness/redis-server.ts'

const limitedKey = 'a-key-with-a-limit-of-rate'

/** What one call costs, and the most that it holds. */
const costNanoUsd = 29_000
const limitUsd = '0.005'

let redis: RedisServer
let fleet: Fleet

describe.skipIf(noRedis !== undefined)(
  `three gateways over one Redis, behind a balancer${noRedis === undefined ? '' : ` (skipped: ${noRedis})`}`,
  () => {
    beforeAll(async () => {
      redis = await startRedis()
      fleet = await startFleet({
        redisUrl: redis.url,
        limitUsd,
        keys: [{ key: limitedKey, rpm: 20 }],
        // No node dies here, and Redis stays: a busy machine must not look as if.
        shared: { goneAfterMs: 600_000, redis: { timeoutMs: 10_000 } },
      })
    })

    afterAll(async () => {
      await fleet[Symbol.asyncDispose]()
      await redis[Symbol.asyncDispose]()
    })

    test('let through as many calls as one limit says', async () => {
      const before = performance.now()
      const asked = await Promise.all(
        Array.from({ length: 60 }, () => askOnce(fleet.balancer.url, { key: limitedKey })),
      )
      const statuses = asked.map(({ status }) => status)
      const answered = statuses.filter((status) => status === 200).length
      expect(answered).toBeGreaterThanOrEqual(20)
      // One more is earned every three seconds.
      expect(answered).toBeLessThanOrEqual(21 + Math.floor((performance.now() - before) / 3000))
      expect(new Set(statuses)).toEqual(new Set([200, 429]))
    })

    test('make one call of one Idempotency-Key that is sent to all of them at once', async () => {
      const before = fleet.upstream.billedNanoUsd()
      const headers = { 'idempotency-key': 'one-for-three' }
      const answers = await Promise.all(fleet.nodes.map(({ url }) => askFleet(url, { headers })))
      expect(answers.map((answer) => answer?.status)).toEqual([200, 200, 200])
      expect(fleet.upstream.billedNanoUsd() - before).toBe(costNanoUsd)
    })

    test('spend one budget to its end, and what is spent is what was billed, to the nano-USD', async () => {
      const callers = callFleet(fleet.balancer.url, 24)
      await callers.ended()
      expect(callers.lost()).toEqual([])
      await expect
        .poll(async () =>
          (await Promise.all(fleet.nodes.map(moneyOf))).map(({ held_nano_usd: held }) => held),
        )
        .toEqual([0, 0, 0])
      const billed = fleet.upstream.billedNanoUsd()
      for (const node of fleet.nodes) {
        expect(await moneyOf(node)).toMatchObject({ spent_nano_usd: billed, uncertain_nano_usd: 0 })
      }
      expect(billed % costNanoUsd).toBe(0)
      expect(billed).toBeLessThanOrEqual(5_000_000)
      // Less is left than one call may cost.
      expect(5_000_000 - billed).toBeLessThan(200_000)
      expect(callers.seen.every(({ status }) => status === 200 || status === 429)).toBe(true)
    })
  },
)
