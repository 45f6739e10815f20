import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { cpuSeconds } from './process-usage.ts'

/** The child processes of one run. Their stderr is kept in `scratch`, to be shown when one dies. */
export function createCrew(scratch: string): Crew {
  const members = new Set<ChildProcess>()
  let started = 0
  let pastCpuSeconds = 0
  const loss = Promise.withResolvers<never>()
  // An unobserved loss is not an error.
  loss.promise.catch(() => {})

  return {
    lost: loss.promise,
    start(role) {
      const log = join(scratch, `stderr-${started}`)
      started += 1
      const descriptor = openSync(log, 'w')
      const node = [process.execPath, ...role.command]
      const [program = '', ...rest] =
        role.processor === undefined ? node : ['taskset', '-c', String(role.processor), ...node]
      const child = spawn(program, rest, {
        cwd: scratch,
        env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...role.environment },
        stdio: ['ignore', 'ignore', descriptor, ...(role.talks ? ['ipc' as const] : [])],
      })
      closeSync(descriptor)
      members.add(child)
      child.once('error', loss.reject)
      child.once('exit', (code, signal) => {
        if (!members.delete(child)) return
        const last = readFileSync(log, 'utf8').trim().split('\n').slice(-20).join('\n')
        loss.reject(new Error(`${role.name} died (${signal ?? code})\n${last}`))
      })
      return member(child)
    },
    cpuSeconds() {
      const present = [...members].map((child) => cpuSeconds(child.pid ?? 0))
      return present.reduce((sum, seconds) => sum + seconds, pastCpuSeconds)
    },
    dismiss() {
      for (const child of members) kill(child)
    },
  }

  function member(child: ChildProcess): Member {
    return {
      pid: child.pid ?? 0,
      async ask(message) {
        const answer = once(child, 'message')
        if (message !== undefined) child.send(message)
        return (await answer)[0]
      },
      async stop() {
        const gone = once(child, 'exit')
        pastCpuSeconds += cpuSeconds(child.pid ?? 0)
        kill(child)
        await gone
      },
    }
  }

  function kill(child: ChildProcess): void {
    members.delete(child)
    child.kill('SIGKILL')
  }
}

export interface Crew {
  start(role: Role): Member
  /** Rejects when one of them ends that was not told to. */
  readonly lost: Promise<never>
  /** Processor time of all members, those stopped included. */
  cpuSeconds(): number
  /** Ends them all, at once and without waiting. */
  dismiss(): void
}

export interface Member {
  readonly pid: number
  /** Sends a message, if there is one, and resolves with the next that comes back. */
  ask(message?: object): Promise<unknown>
  stop(): Promise<void>
}

export type Role = {
  readonly name: string
  /** Arguments of node. */
  readonly command: readonly string[]
  readonly processor: number | undefined
  /** Whether it exchanges messages with us. */
  readonly talks: boolean
  readonly environment?: Readonly<Record<string, string>>
}
