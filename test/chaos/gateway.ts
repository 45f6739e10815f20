import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { removeDirectory } from '../harness/directory.ts'
import type { Order, ProcessState, Row, Word } from './served.ts'

/** The gateway under test: a process of its own, known by its address, its records and what it prints. */
export type ChaosGateway = AsyncDisposable & {
  readonly url: string
  /** Of every call that is over, by its id. */
  readonly rows: ReadonlyMap<string, Row>
  /** The record of a call, as soon as it is over. Rejects when the process ends before. */
  row(id: string): Promise<Row>
  /** Resolves when so many calls for a model are over. */
  recorded(count: number, model: string): Promise<void>
  /** Everything it has printed, log and console. */
  printed(): string
  /** Forgets what was printed and recorded so far, once that has been looked at. */
  forget(): void
  readonly isAlive: boolean
  /** How many file descriptors it has open, as the kernel counts them. */
  descriptors(): number
  /** Resolves when there are no more of them than that. */
  settled(most: number): Promise<void>
  order(order: Order): Promise<ProcessState>
  /** Has it take this text as its gateway.yaml from now on. */
  reload(file: string): Promise<void>
  /** How it ended, once it has. */
  readonly ended: Promise<number | null>
}

/** The authority that the certificates of the suite come from. */
export const authority = fileURLToPath(new URL('certificates/authority.pem', import.meta.url))

/** Starts one on a free port, with this text as its gateway.yaml. Disposed of, it must have stopped in good order. */
export async function startChaosGateway(file: string): Promise<ChaosGateway> {
  const directory = await mkdtemp(join(tmpdir(), 'gateway-chaos-'))
  const path = join(directory, 'gateway.yaml')
  await writeFile(path, file)
  const { PATH = '' } = process.env
  const env = { PATH, HOST: '127.0.0.1', PORT: '0', GATEWAY_CONFIG: path, NODE_EXTRA_CA_CERTS: authority }
  const child = fork(fileURLToPath(new URL('served.ts', import.meta.url)), [], {
    cwd: directory,
    env,
    execArgv: ['--expose-gc'],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  const ended = once(child, 'close').then(([code]) => code as number | null)
  const state = watch(child)
  const order = async (given: Order) => {
    const answer = new Promise<ProcessState>((resolve) => state.answers.push(resolve))
    child.send(given)
    return await answer
  }
  const url = await state.until(() => state.url)
  return {
    url,
    rows: state.rows,
    row: (id) => state.until(() => state.rows.get(id)),
    recorded: async (count, model) => {
      const over = () => [...state.rows.values()].filter((row) => row.model === model).length
      await state.until(() => (over() >= count ? true : undefined))
    },
    printed: () => state.printed.join(''),
    forget() {
      state.printed.length = 0
      state.rows.clear()
    },
    get isAlive() {
      return state.isAlive()
    },
    descriptors: () => descriptorsOf(child.pid),
    async settled(most) {
      while (descriptorsOf(child.pid) > most) await setTimeout(pollMs)
    },
    order,
    async reload(text) {
      await writeFile(path, text)
      await order({ order: 'reload' })
    },
    ended,
    async [Symbol.asyncDispose]() {
      if (state.isAlive() && child.connected) await order({ order: 'stop', delayMs: 0, graceMs: 1000 })
      const code = await ended
      await removeDirectory(directory)
      if (code !== 0) throw new Error(`The gateway ended with ${code}:\n${state.errors()}`)
    },
  }
}

const pollMs = 5

function watch(child: ReturnType<typeof fork>) {
  const rows = new Map<string, Row>()
  const printed: string[] = []
  const errors: string[] = []
  const answers: ((state: ProcessState) => void)[] = []
  const watchers = new Set<() => void>()
  let isAlive = true
  const changed = () => {
    for (const watcher of watchers) watcher()
  }
  child.stdout?.setEncoding('utf8').on('data', (text: string) => printed.push(text))
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    printed.push(text)
    errors.push(text)
  })
  child.once('close', () => {
    isAlive = false
    changed()
  })
  const state = {
    url: undefined as string | undefined,
    rows,
    printed,
    answers,
    errors: () => errors.join(''),
    isAlive: () => isAlive,
    until: <T>(find: () => T | undefined) =>
      new Promise<T>((resolve, reject) => {
        const look = () => {
          const found = find()
          if (found === undefined && isAlive) return
          watchers.delete(look)
          if (found !== undefined) resolve(found)
          else reject(new Error(`The gateway ended:\n${errors.join('')}`))
        }
        watchers.add(look)
        look()
      }),
  }
  child.on('message', (word: Word) => {
    if (word.word === 'serving') state.url = word.url
    if (word.word === 'record') rows.set(word.row.id, word.row)
    if (word.word === 'done') answers.shift()?.(word.state)
    changed()
  })
  return state
}

function descriptorsOf(pid: number | undefined): number {
  return readdirSync(`/proc/${pid}/fd`).length
}
