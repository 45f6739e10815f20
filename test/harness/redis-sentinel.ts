import { type RedisServer, startRedis } from './redis-server.ts'

/** A master, a replica that has caught up, and a sentinel that lets the replica take over. */
export type WatchedRedis = AsyncDisposable & {
  /** The sentinel's. */
  readonly url: string
  /** What the sentinel calls the master. */
  readonly name: string
  readonly master: RedisServer
  hasTakenOver(): Promise<boolean>
}

export async function startWatchedRedis(): Promise<WatchedRedis> {
  const started = new AsyncDisposableStack()
  const master = started.use(await startRedis())
  const replica = started.use(await startRedis({ settings: [`replicaof 127.0.0.1 ${master.port}`] }))
  await untilInfo(replica, 'replication', /master_link_status:up/)
  const watched = [
    `sentinel monitor ${name} 127.0.0.1 ${master.port} 1`,
    `sentinel down-after-milliseconds ${name} 500`,
    `sentinel failover-timeout ${name} 2000`,
  ].join('\n')
  const sentinel = started.use(await startRedis({ sentinel: watched }))
  await untilInfo(sentinel, 'sentinel', /slaves=1/)
  return {
    ...{ url: sentinel.url, name, master },
    // A server that becomes the master closes its connections.
    hasTakenOver: async () =>
      String(await replica.command('INFO', 'replication').catch(() => '')).includes('role:master'),
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  }
}

const name = 'main'

async function untilInfo(server: RedisServer, section: string, says: RegExp): Promise<void> {
  while (!says.test(String(await server.command('INFO', section)))) {
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
