import { strict as assert } from 'node:assert'
import { costNanoUsd } from '../../src/core/model/price.ts'
import { rowOf } from './asked-case.ts'
import type { Asking, Stage } from './harness.ts'
import { type Dice, mixes } from './mixes.ts'
import type { Reconciled } from './reconcile.ts'
import { seeHonest } from './sights.ts'
import { price } from './upstream/fault-upstream.ts'

/** What came of a soak. */
export type Soaked = {
  readonly calls: number
  readonly ends: Readonly<Record<End, number>>
  readonly exact: number
  readonly exactNanoUsd: number
  readonly uncertain: number
  /** What the upstream billed for those, and what the gateway booked. */
  readonly uncertainBilledNanoUsd: number
  readonly uncertainBookedNanoUsd: number
  /** Of the gateway's heap, after each round. */
  readonly heapBytes: readonly number[]
}

export type End = 'answered' | 'refused' | 'broken' | 'left'

export type SoakSettings = {
  readonly dice: Dice
  readonly callsPerRound: number
  /** Whether to continue after so many rounds. */
  readonly goesOn: (rounds: number) => boolean
}

const leavingShare = 0.05
const atOnce = 24

/**
 * Calls in rounds, after each of which all must be quiet, and the upstream's bill must equal the records. Whatever the
 * callers meet, none may be told that a part is the whole.
 */
export async function soak(stage: Stage, { dice, callsPerRound, goesOn }: SoakSettings): Promise<Soaked> {
  const ends: Record<End, number> = { answered: 0, refused: 0, broken: 0, left: 0 }
  const rounds: Reconciled[] = []
  const heapBytes: number[] = []
  while (goesOn(rounds.length)) {
    let left = callsPerRound
    const calling = async () => {
      while (left-- > 0) ends[await callOnce(stage, dice)] += 1
    }
    await Promise.all(Array.from({ length: atOnce }, calling))
    const reconciled = await stage.rest()
    for (const { attempt, billedNanoUsd, bookedNanoUsd } of reconciled.uncertain) {
      const difference = Math.abs(billedNanoUsd - bookedNanoUsd)
      assert(difference <= mostUncertainNanoUsd, `${attempt} is uncertain by ${difference} nano-USD`)
    }
    rounds.push(reconciled)
    heapBytes.push((await stage.gateway.order({ order: 'measure' })).heapBytes)
  }
  return { ...sumOf(rounds), calls: rounds.length * callsPerRound, ends, heapBytes }
}

/** More than an answer here can cost, however its tokens are counted. */
const mostUncertainNanoUsd =
  costNanoUsd(price, { promptTokens: 60, cachedTokens: 0, completionTokens: 60, workedMs: undefined }) ?? 0

async function callOnce(stage: Stage, dice: Dice): Promise<End> {
  const kind = dice() < 0.5 ? 'text' : 'chat'
  const stream = dice() < 0.7
  const names = Object.keys(mixes)
  const asking: Asking = { model: `soak-${names[Math.floor(dice() * names.length)]}`, kind, stream }
  const caller = stage.call(asking)
  if (dice() < leavingShare) {
    const how = dice() < 0.5 ? 'FIN' : 'RST'
    setTimeout(() => caller.leave(how), dice() * 50)
  }
  const heard = await caller.answer.catch(() => undefined)
  if (heard === undefined || !heard.isEnded) return 'left'
  const end = seeHonest(heard, kind, stream)
  const { outcome } = await rowOf(stage, heard)
  assert.equal(outcome === 'ok', end === 'answered', `the record says ${outcome}, the caller was ${end}`)
  return end
}

function sumOf(rounds: readonly Reconciled[]): Omit<Soaked, 'calls' | 'ends' | 'heapBytes'> {
  const uncertain = rounds.flatMap((round) => round.uncertain)
  const sum = (amounts: readonly number[]) => amounts.reduce((total, amount) => total + amount, 0)
  return {
    exact: sum(rounds.map(({ exact }) => exact)),
    exactNanoUsd: sum(rounds.map(({ exactNanoUsd }) => exactNanoUsd)),
    uncertain: uncertain.length,
    uncertainBilledNanoUsd: sum(uncertain.map(({ billedNanoUsd }) => billedNanoUsd)),
    uncertainBookedNanoUsd: sum(uncertain.map(({ bookedNanoUsd }) => bookedNanoUsd)),
  }
}
