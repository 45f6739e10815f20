import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { removeDirectory } from './directory.ts'

/** Why no Redis can be started here; undefined where it can. */
export const noRedis: string | undefined = hasRedis()
  ? undefined
  : 'there is no Redis: install the package redis-server'

/** A Redis server of the test's own, on a free port. */
export type RedisServer = AsyncDisposable & {
  readonly url: string
  readonly port: number
  /** Stops it where it stands, as a machine that hangs; `resume` has it continue. */
  stop(): void
  resume(): void
  /** Ends it at once. `start` has it back: with its data where it appends them to a file. */
  kill(): Promise<void>
  start(): Promise<void>
  command(...words: readonly string[]): Promise<unknown>
}

export type RedisServerOptions = {
  readonly settings?: readonly string[]
  readonly appends?: boolean
  readonly sentinel?: string
}

export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  const directory = mkdtempSync(join(tmpdir(), 'redis-'))
  const port = await freePort()
  const { settings = [], appends = false, sentinel } = options
  const file = join(directory, 'redis.conf')
  const saving = appends ? ['appendonly yes', 'appendfsync always'] : ['appendonly no']
  const lines = [`port ${port}`, 'bind 127.0.0.1', `dir ${directory}`, 'save ""', 'daemonize no', ...saving]
  const sentinelLines = [`port ${port}`, 'bind 127.0.0.1', `dir ${directory}`, sentinel ?? '']
  writeFileSync(file, [...(sentinel === undefined ? lines : sentinelLines), ...settings].join('\n'))
  let server: ChildProcess | undefined
  const start = async () => {
    server = spawn('redis-server', [file, ...(sentinel === undefined ? [] : ['--sentinel'])], {
      stdio: 'ignore',
    })
    while (!(await answers(port))) await new Promise((resolve) => setTimeout(resolve, 20))
  }
  const kill = async () => {
    const ended = server && once(server, 'exit')
    server?.kill('SIGKILL')
    await ended
    server = undefined
  }
  await start()
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    start,
    kill,
    stop: () => void server?.kill('SIGSTOP'),
    resume: () => void server?.kill('SIGCONT'),
    command: (...[name = 'PING', ...words]) => withClient(port, (client) => client.call(name, ...words)),
    async [Symbol.asyncDispose]() {
      await kill()
      await removeDirectory(directory)
    },
  }
}

async function withClient<T>(port: number, work: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis({
    port,
    host: '127.0.0.1',
    lazyConnect: true,
    retryStrategy: null,
    enableReadyCheck: false,
  })
  client.on('error', () => {})
  try {
    await client.connect()
    return await work(client)
  } finally {
    client.disconnect()
  }
}

async function answers(port: number): Promise<boolean> {
  return await withClient(port, async (client) => (await client.ping()) === 'PONG').catch(() => false)
}

function hasRedis(): boolean {
  try {
    execFileSync('redis-server', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}
