import pTimeout from 'p-timeout'
import { endGroup, shellEnvironment, startChild } from '../acceptance/child.ts'
import type { Client, Program } from './client.ts'
import { type FeatureName, features } from './features.ts'
import { openStage, type Stage } from './harness.ts'

/** What came of a client: a cell of the table for each feature, and what went wrong. */
export type Performance = {
  readonly cells: ReadonlyMap<FeatureName, string>
  readonly faults: readonly string[]
}

/** Has a client's program do all it can at a gateway of its own, and judges what it saw. */
export async function perform(client: Client, program: Program): Promise<Performance> {
  await using stage = await openStage()
  const { command, words, environment } = program
  const child = startChild(command, [...words, stage.url, stage.key], {
    environment: { ...shellEnvironment(), ...environment },
    leads: true,
  })
  let hasEnded = false
  try {
    const { code, stdout, stderr } = await within(120_000, child.ended)
    hasEnded = true
    const told = toldIn(stdout)
    const faults = code === 0 ? [] : [`It ended with ${code}: ${stderr.slice(-2000)}`]
    const cells = new Map<FeatureName, string>()
    for (const feature of features) {
      const fault = await faultOf(feature.name, { client, told, stage })
      if (fault !== undefined) faults.push(`${feature.name}: ${fault}`)
      const isLacking = client.lacks.includes(feature.name)
      cells.set(feature.name, fault !== undefined ? '✗' : isLacking ? '–' : (feature.cell ?? '✓'))
    }
    return { cells, faults }
  } finally {
    if (!hasEnded) await endGroup(child)
  }
}

/** A line of a program: what it saw, or why it saw nothing. */
type Told = { readonly seen?: unknown; readonly fault?: string }

type Scene = {
  readonly client: Client
  readonly told: ReadonlyMap<string, Told>
  readonly stage: Stage
}

async function faultOf(name: FeatureName, { client, told, stage }: Scene): Promise<string | undefined> {
  const line = told.get(name)
  if (client.lacks.includes(name)) return line === undefined ? undefined : 'is not lacking'
  if (line === undefined) return 'nothing was reported'
  if (line.fault !== undefined) return line.fault
  const feature = features.find((feature) => feature.name === name)
  return within(60_000, Promise.resolve(feature?.fault(line.seen, client, stage))).catch(String)
}

function toldIn(stdout: string): ReadonlyMap<string, Told> {
  const lines = stdout.split('\n').filter((line) => line.startsWith('{"feature":'))
  return new Map(lines.map((line) => JSON.parse(line)).map(({ feature, ...told }) => [feature, told]))
}

function within<T>(milliseconds: number, promise: Promise<T>): Promise<T> {
  return pTimeout(promise, { milliseconds, message: `It took longer than ${milliseconds} ms.` })
}
