import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, globSync, mkdtempSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Client } from 'pg'
import { removeDirectory } from '../harness/directory.ts'

/** Why no Postgres can be started here; undefined if it can. */
export const noPostgres: string | undefined =
  binaries() === undefined
    ? 'there is no Postgres: install the package postgresql'
    : user()
      ? undefined
      : 'no user'

/** The test's own Postgres server, on a free port. */
export type PostgresServer = AsyncDisposable & {
  /** Creates an empty database, and returns its address. */
  createDatabase(): Promise<string>
  /** Stops it at once, like a power failure; `start` restarts it with the committed data. */
  kill(): Promise<void>
  start(): Promise<void>
}

export async function startPostgres(): Promise<PostgresServer> {
  const [bin, owner] = [binaries() ?? '', user() ?? {}]
  const directory = mkdtempSync(join(tmpdir(), 'postgres-'))
  if (owner.uid !== undefined && owner.gid !== undefined) chownSync(directory, owner.uid, owner.gid)
  const data = join(directory, 'data')
  const options = { ...owner, cwd: directory, stdio: 'ignore' as const }
  execFileSync(
    join(bin, 'initdb'),
    ['-D', data, '-A', 'trust', '-U', 'tester', '-E', 'UTF8', '--no-sync'],
    options,
  )
  const port = await freePort()
  const url = (name: string) => `postgres://tester@127.0.0.1:${port}/${name}`
  let server: ChildProcess | undefined
  let databases = 0
  const start = async () => {
    const words = ['-D', data, '-p', String(port), '-k', directory, '-c', 'listen_addresses=127.0.0.1']
    // Committed data survives the process anyway: only the machine must not fail.
    const quick = ['-c', 'fsync=off', '-c', 'full_page_writes=off', '-c', 'max_connections=40']
    server = spawn(join(bin, 'postgres'), [...words, ...quick], options)
    while (!(await isUp(url('postgres')))) await new Promise((resolve) => setTimeout(resolve, 50))
  }
  const end = async (signal: NodeJS.Signals) => {
    const ended = server && once(server, 'exit')
    server?.kill(signal)
    await ended
    server = undefined
  }
  await start()
  return {
    start,
    kill: () => end('SIGQUIT'),
    async createDatabase() {
      const name = `test_${++databases}`
      await withClient(url('postgres'), (client) => client.query(`create database ${name}`))
      return url(name)
    },
    async [Symbol.asyncDispose]() {
      await end('SIGQUIT')
      await removeDirectory(directory)
    },
  }
}

async function withClient(url: string, work: (client: Client) => Promise<unknown>): Promise<void> {
  const client = new Client({ connectionString: url })
  client.on('error', () => undefined)
  await client.connect()
  await work(client)
  await client.end()
}

async function isUp(url: string): Promise<boolean> {
  return await withClient(url, async () => undefined).then(
    () => true,
    () => false,
  )
}

function binaries(): string | undefined {
  const found = globSync('/usr/lib/postgresql/*/bin/initdb').toSorted().at(-1)
  return found === undefined ? undefined : dirname(found)
}

/** Postgres does not run as root: then it runs as the user of its package. */
function user(): { readonly uid?: number; readonly gid?: number } | undefined {
  if (process.getuid?.() !== 0) return {}
  try {
    const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { stdio: 'pipe' }).toString())
    return { uid: id('-u'), gid: id('-g') }
  } catch {
    return undefined
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
