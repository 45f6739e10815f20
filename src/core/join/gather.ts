import type { Bursts } from '../attempt/attempt.ts'
import type { Delta } from '../model/call.ts'

/** All deltas of an answer, once it has ended. */
export async function gather(bursts: Bursts): Promise<readonly Delta[]> {
  if (Array.isArray(bursts)) return bursts.flat()
  const deltas: Delta[] = []
  for await (const burst of bursts) for (const delta of burst) deltas.push(delta)
  return deltas
}
