import { type Child, endGroup, shellEnvironment, startChild } from './child.ts'
import { repository, startFaster, startFile } from './gateway-process.ts'

/** Pandotate's own wire format on a real port, with simulated models behind it. */
export type SimulatedPandotate = AsyncDisposable & {
  /** What PANDOTATE_URL has to be. */
  readonly url: string
  stdout(): string
  stderr(): string
}

/** Starts one in a process of its own; with a key it refuses every other bearer. */
export async function startSimulatedPandotate(key?: string): Promise<SimulatedPandotate> {
  const words = key === undefined ? [] : ['--key', key]
  const command = [startFile, 'simulate', 'pandotate', '--port', '0', ...words]
  return await announced(startChild(process.execPath, command, { environment: startFaster, leads: true }))
}

/** The same, started as the documentation says. */
export async function startSimulatedPandotateByNpm(): Promise<SimulatedPandotate> {
  const command = ['run', 'gateway', '--', 'simulate', 'pandotate', '--port', '0']
  return await announced(
    startChild('npm', command, { cwd: repository, environment: shellEnvironment(), leads: true }),
  )
}

async function announced(child: Child): Promise<SimulatedPandotate> {
  return {
    url: await child.until(() => /answers at (http:\S+)/.exec(child.stdout())?.[1]),
    stdout: child.stdout,
    stderr: child.stderr,
    async [Symbol.asyncDispose]() {
      await endGroup(child)
    },
  }
}
