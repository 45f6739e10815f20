import { setTimeout } from 'node:timers/promises'
import { noRedis, startRedis } from '../test/harness/redis-server.ts'
import { openNode, type TestNode } from '../test/state/redis/nodes.ts'

/**
 * What the steps of a call with three limits and two budgets take over a Redis on loopback: many calls at once, one right
 * after the other, which also waits for what that one reports at its end, and one at a time with a pause between.
 */
async function main(): Promise<number> {
  if (noRedis !== undefined) {
    console.error(noRedis)
    return 1
  }
  await using redis = await startRedis()
  await using node = await openNode([redis.url], { timeoutMs: 2000 })
  let calls = 0
  for (const atOnce of [1, 16, 64]) {
    const round = () => Promise.all(Array.from({ length: atOnce }, () => oneCall(node, `req_${calls++}`)))
    for (let at = 0; at < 3000 / atOnce; at++) await round()
    const waited: number[] = []
    const before = process.cpuUsage()
    for (let at = 0; at < counted / atOnce; at++) waited.push(...(await round()))
    const { user, system } = process.cpuUsage(before)
    const cpuUs = (user + system) / waited.length
    console.log(
      `${atOnce} at once: a call waits ${medianOf(waited).toFixed(3)} ms (median), ${cpuUs.toFixed(0)} us of processor time`,
    )
  }
  const apart: number[] = []
  for (let at = 0; at < countedApart; at++) {
    apart.push(await oneCall(node, `req_${calls++}`))
    await setTimeout(pauseMs)
  }
  console.log(`one every ${pauseMs} ms: a call waits ${medianOf(apart).toFixed(3)} ms (median)`)
  return 0
}

const countedApart = 1500
const pauseMs = 2

function medianOf(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0
}

const counted = 9600

/** How long it waits, in milliseconds: the end of a call is reported, and not awaited. */
async function oneCall({ state, owner }: TestNode, id: string): Promise<number> {
  const began = performance.now()
  await state.admit({
    ...{ leaseId: id, owner, slots: [{ key: 'calls/key', limit: 1000 }] },
    rates: [
      { key: 'rpm/key', perMinute: 1e8, burst: 1e8, amount: 1 },
      { key: 'tpm/key', perMinute: 1e9, burst: 1e9, amount: 40 },
    ],
  })
  const parts = counters.map((counter) => ({ counter, nanoUsd: 50_000, limitNanoUsd: 1e15 }))
  await state.reserve({ id, owner, parts })
  const waitedMs = performance.now() - began
  void state.settle(
    id,
    counters.map((counter) => ({ counter, spentNanoUsd: 29_000, uncertainNanoUsd: 0 })),
  )
  void state.release(id)
  void state.refund([{ key: 'tpm/key', perMinute: 1e9, burst: 1e9, amount: 22 }])
  void state.charge(usage.map((counter) => ({ counter, spentNanoUsd: 29_000 })))
  return waitedMs
}

const counters = ['key/a|2026-11', 'gateway|2026-11-29']
const usage = ['total', '2026-11-29', 'week-2026-11-23', '2026-11'].map((window) => `usage/a|${window}`)

process.exitCode = await main()
