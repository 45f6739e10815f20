import { cases } from './cases.ts'
import { type FaultCase, faultTitles } from './fault-case.ts'
import { openStage, type Stage, type StageOptions } from './harness.ts'

/** The stage that most cases are played on, one after the other. */
export async function openCommonStage(options: StageOptions = {}): Promise<Stage> {
  const shared = cases.filter(({ settings }) => settings === undefined)
  return await openStage(Object.assign({}, ...shared.map(({ routes = {} }) => routes)), options)
}

/** Plays a case, on a stage of its own where it wants one. Gives what it has to tell. */
export async function play(
  one: FaultCase,
  common: Stage,
  options: StageOptions = {},
): Promise<readonly string[]> {
  if (one.settings === undefined) {
    await one.play(common)
    return []
  }
  await using own = await openStage(one.routes ?? {}, { ...options, settings: one.settings })
  await one.play(own)
  return own.notes
}

/** The name of a case among all. */
export function titleOf({ fault, name }: FaultCase): string {
  return `${fault}, ${faultTitles[fault - 1]}: ${name}`
}
