import { readFileSync } from 'node:fs'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { removeDirectory } from '../harness/directory.ts'
import { type Child, type Exit, startChild } from './child.ts'

/** A gateway as an operator runs it: a process of its own, known by its address and by what it prints. */
export type GatewayProcess = AsyncDisposable & {
  readonly url: string
  readonly pid: number
  /** The directory it runs in, and where its gateway.yaml is. */
  readonly directory: string
  readonly file: string
  stdout(): string
  stderr(): string
  /** The log so far, one object for each line. */
  log(): readonly LogLine[]
  /** The log's line about the call of this id, as soon as it is written. */
  record(requestId: string | null | undefined): Promise<CallLine>
  /** The first of the log's lines that satisfies, as soon as it is written. */
  line(satisfies: (line: LogLine) => boolean): Promise<LogLine>
  /** Asks it to stop, and resolves with how it ended. */
  stop(): Promise<Exit>
  /** Ends it without asking, unless it has ended. */
  kill(): void
  /** How it ends, once it does. */
  readonly ended: Promise<Exit>
}

export type LogLine = { readonly level: number; readonly msg: string; readonly [key: string]: unknown }

/** What the log tells of a call, as far as the tests read it. */
export type CallLine = LogLine & {
  readonly requestId: string
  readonly dialect: string
  readonly outcome: string
  readonly status: number
  readonly provider?: string
  readonly attempts: readonly { readonly outcome: string; readonly upstreamStatus?: number }[]
  readonly failure?: {
    readonly kind: string
    readonly code: string | null
    readonly operatorNote?: string
  }
}

export type GatewayOptions = {
  /** The file to start from, where it is not this checkout's own. */
  readonly startFile?: string
  /** Beside HOST and PORT: of the tests' own environment TEST_WORKERS alone is passed on, as WORKERS. */
  readonly environment?: Readonly<Record<string, string>>
  /** The text of a gateway.yaml. */
  readonly file?: string
  /** Where it runs; absent: in a directory of its own. */
  readonly directory?: string
  /** Options of `serve`. */
  readonly words?: readonly string[]
}

/** Starts `serve` on a free port of 127.0.0.1. Disposed of, it must have stopped in good order. */
export async function startGateway(options: GatewayOptions = {}): Promise<GatewayProcess> {
  const place = await openPlace(options)
  const child = startCommand(['serve', ...(options.words ?? [])], place)
  const url = await child.until(() => /serves on ((?:https?|unix):\S+)/.exec(child.stderr())?.[1])
  const log = () => linesOf(child.stdout())
  const line = (satisfies: (line: LogLine) => boolean) => child.until(() => log().find(satisfies))
  let isAsked = false
  const stop = () => {
    if (!isAsked) process.kill(child.pid, 'SIGTERM')
    isAsked = true
    return child.ended
  }
  return {
    url,
    pid: child.pid,
    directory: place.directory,
    file: place.file,
    kill: child.kill,
    ended: child.ended,
    stdout: child.stdout,
    stderr: child.stderr,
    log,
    line,
    record: async (requestId) => (await line(({ requestId: id }) => id === requestId)) as CallLine,
    stop,
    async [Symbol.asyncDispose]() {
      const { code, stderr } = await stop()
      await place.remove()
      if (code !== 0) throw new Error(`The gateway ended with ${code}:\n${stderr}`)
    },
  }
}

/** The ids of its worker processes. */
export function workersOf({ pid }: GatewayProcess): readonly number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1')
  return children.trim().split(' ').filter(Boolean).map(Number)
}

/** Runs a command of the gateway to its end: one that is refused, or one that only prints. */
export async function runGateway(words: readonly string[], options: GatewayOptions = {}): Promise<Exit> {
  const place = await openPlace(options)
  try {
    return await startCommand(words, place).ended
  } finally {
    await place.remove()
  }
}

/** The address of the file that everything starts from. */
export const startFile = fileURLToPath(new URL('../../src/start.js', import.meta.url))

export const repository = fileURLToPath(new URL('../..', import.meta.url))

/** The suites start some hundred processes: compiled code is kept from one to the next, as npm keeps its own. */
export const startFaster = { NODE_COMPILE_CACHE: join(repository, 'node_modules/.cache/gateway') }

/** An empty directory to run in, so that no developer's .env or gateway.yaml is read. */
type Place = {
  readonly directory: string
  readonly file: string
  readonly environment: Readonly<Record<string, string>>
  readonly start: string
  remove(): Promise<void>
}

async function openPlace({
  environment = {},
  file,
  directory: shared,
  startFile: start = startFile,
}: GatewayOptions): Promise<Place> {
  const directory = shared ?? (await mkdtemp(join(tmpdir(), 'gateway-')))
  const { PATH = '', TEST_WORKERS } = process.env
  const workers = TEST_WORKERS === undefined ? {} : { WORKERS: TEST_WORKERS }
  const usual = { PATH, ...startFaster, HOST: '127.0.0.1', PORT: '0', ...workers }
  const given: Record<string, string> = { ...usual, ...environment }
  const path = join(directory, 'configured.yaml')
  if (file !== undefined) {
    given['GATEWAY_CONFIG'] = path
    await writeFile(path, file)
  }
  const remove = async () => {
    if (shared === undefined) await removeDirectory(directory)
  }
  return { directory, file: path, environment: given, start, remove }
}

function startCommand(words: readonly string[], { directory, environment, start }: Place): Child {
  return startChild(process.execPath, [start, ...words], { cwd: directory, environment })
}

/** The lines that are complete. */
function linesOf(stdout: string): readonly LogLine[] {
  const lines = stdout.split('\n').slice(0, -1)
  return lines.map((line) => JSON.parse(line) as LogLine)
}
