import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'

/** A process under test, and everything it printed so far. */
export type Child = {
  readonly pid: number
  stdout(): string
  stderr(): string
  /** Ends it without asking, unless it has ended. */
  kill(): void
  /** Resolves once the end of the process and all of its output are known. */
  readonly ended: Promise<Exit>
  /** What `find` makes of the output, as soon as that is something. Rejects when the process ends before. */
  until<T>(find: () => T | undefined): Promise<T>
}

/** A process that a signal ended has no code. */
export type Exit = { readonly code: number | null; readonly stdout: string; readonly stderr: string }

export type ChildOptions = {
  readonly cwd?: string
  /** All there is: nothing is inherited. */
  readonly environment: Readonly<Record<string, string>>
  /** Fed to its standard input, which is closed then. */
  readonly input?: string | Buffer
  /** Makes it the leader of a group, so that a signal can reach what it starts in turn: see `endGroup`. */
  readonly leads?: boolean
}

/** Starts a process of the test's own. */
export function startChild(command: string, words: readonly string[], options: ChildOptions): Child {
  const { cwd, environment, input = '', leads = false } = options
  const place = cwd === undefined ? {} : { cwd }
  const child = spawn(command, words, { ...place, env: environment, detached: leads })
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  let isOver = false
  const watchers = new Set<() => void>()
  const wake = () => {
    for (const watcher of watchers) watcher()
  }
  const stdout = gather(child, 'stdout', wake)
  const stderr = gather(child, 'stderr', wake)
  const ended = once(child, 'close').then(([code]): Exit => {
    isOver = true
    wake()
    return { code: code as number | null, stdout: stdout(), stderr: stderr() }
  })
  // A test that does not read the result does not need a start error either.
  ended.catch(() => undefined)
  return {
    pid: child.pid ?? 0,
    kill: () => void child.kill('SIGKILL'),
    stdout,
    stderr,
    ended,
    until: (find) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = find()
          if (found === undefined && !isOver) return
          watchers.delete(look)
          if (found !== undefined) resolve(found)
          else reject(new Error(`The process ended first. It said:\n${stderr()}\n${stdout()}`))
        }
        watchers.add(look)
        look()
      }),
  }
}

/** Asks a leader and all that it started to end. npm passes a signal on to its shell, which tells nobody. */
export async function endGroup({ pid, ended }: Child): Promise<Exit> {
  process.kill(-pid, 'SIGTERM')
  return await ended
}

/** Runs a command of the shell to its end, as a reader of the documentation would paste it. */
export function runShell(command: string, options: Partial<ChildOptions> = {}): Promise<Exit> {
  const { environment = shellEnvironment(), ...rest } = options
  return startChild('sh', ['-c', command], { environment, ...rest }).ended
}

/** What programs need to be found, and nothing that could reach the gateway's configuration. */
export function shellEnvironment(): Record<string, string> {
  const { PATH = '', HOME = '' } = process.env
  return { PATH, HOME }
}

function gather(child: ChildProcess, name: 'stdout' | 'stderr', wake: () => void): () => string {
  let text = ''
  child[name]?.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
    wake()
  })
  return () => text
}
