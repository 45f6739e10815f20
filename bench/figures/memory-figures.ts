import { setTimeout as wait } from 'node:timers/promises'
import { askOf, compilingRequests, sendRequests } from '../load/counted-requests.ts'
import type { Means } from '../setup/effort.ts'
import { residentBytes } from '../setup/process-usage.ts'
import { quietStreams } from '../setup/scenarios.ts'
import type { Target } from '../setup/targets.ts'
import { type Spread, spreadOf } from './statistics.ts'

/**
 * Resident memory that each open stream adds, in bytes. A fresh process first works until its code is compiled
 * and its heap has found a size; the first streams then fill what room that heap still has, which says nothing,
 * and the growth over all further ones is counted.
 */
export async function measureOpenStreams(
  start: () => Promise<Target>,
  { load, effort }: Means,
): Promise<Spread> {
  const further = quietStreams.concurrent - fillingStreams
  const perStream: number[] = []
  for (let round = 0; round < effort.memoryRounds; round += 1) {
    const target = await start()
    const open = async (streams: number) => {
      await load.alone({ kind: 'hold', ask: askOf(target, quietStreams), streams })
      await wait(effort.restMs)
      return residentBytes(target.member.pid)
    }
    await sendRequests(target, load, compilingRequests)
    const before = await open(fillingStreams)
    perStream.push(((await open(further)) - before) / further)
    await load.alone({ kind: 'release' })
    await target.member.stop()
  }
  return spreadOf(perStream)
}

/** Resident memory of a fresh process at rest, and again after each fifth of the requests. */
export async function measureResident(
  start: () => Promise<Target>,
  { load, effort }: Means,
): Promise<readonly Reading[]> {
  const target = await start()
  await wait(effort.restMs)
  const readings: Reading[] = [{ requests: 0, bytes: residentBytes(target.member.pid) }]
  for (let part = 1; part <= 5; part += 1) {
    await sendRequests(target, load, effort.requestsPerReading)
    readings.push({ requests: part * effort.requestsPerReading, bytes: residentBytes(target.member.pid) })
  }
  await target.member.stop()
  return readings
}

export type Reading = { readonly requests: number; readonly bytes: number }

const fillingStreams = 200
