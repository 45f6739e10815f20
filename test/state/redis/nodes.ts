import { randomBytes } from 'node:crypto'
import type { OpenHold } from '../../../src/core/model/shared-state.ts'
import { openRedis, type RedisParts, type RedisShared } from '../../../src/state/redis/redis.ts'

/** What a test's node does unlike the others. */
export type NodeOptions = Partial<Omit<RedisParts, 'settings' | 'events'>> & {
  readonly prefix?: string
  readonly mode?: RedisParts['settings']['mode']
  readonly timeoutMs?: number
}

export type TestNode = RedisShared & { readonly owner: string; readonly swept: readonly OpenHold[] }

/** A node over a Redis server; those of one prefix are one gateway. */
export async function openNode(urls: readonly string[], options: NodeOptions = {}): Promise<TestNode> {
  const { prefix = newPrefix(), mode = 'single', timeoutMs = 1000, ...parts } = options
  const owner = options.owner ?? `node-${randomBytes(4).toString('hex')}`
  const swept: OpenHold[] = []
  const shared = await openRedis({
    ...{ owner, onLoss: 'local', leasePart: 0.2, goneAfterMs: 15_000, now: () => performance.now() },
    keepMs: () => 0,
    ...parts,
    settings: { urls, mode, sentinelName: 'main', prefix, timeoutMs },
    events: {
      up() {},
      away() {},
      swept: (_owner, holds) => void swept.push(...holds),
    },
  })
  return Object.assign(shared, { owner, swept })
}

export function newPrefix(): string {
  return `test-${randomBytes(6).toString('hex')}`
}

/** Waits for what becomes true by itself. */
export async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await new Promise((resolve) => setTimeout(resolve, 10))
}
