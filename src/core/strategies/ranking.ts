import { endianness } from 'node:os'
import type { Candidate } from '../candidate.ts'
import type { Random } from '../ports.ts'
import type { Scores } from './strategy.ts'

/** Lowest score first, equals as they stand, those without a score last. No score is below 0. */
export function rank(candidates: readonly Candidate[], scores: Scores): readonly Candidate[] {
  const keys = new Float64Array(candidates.length)
  for (let place = 0; place < keys.length; place++) keys[place] = scores[place] ?? lastKey
  return inOrderOf(candidates, keys)
}

/**
 * A random order: each place goes to one of those left, by their weights. Those of weight 0 follow as they stand,
 * those without a weight after them.
 */
export function draw(
  candidates: readonly Candidate[],
  weights: Scores,
  random: Random,
): readonly Candidate[] {
  const keys = new Float64Array(candidates.length)
  for (let place = 0; place < keys.length; place++) {
    const weight = weights[place]
    // Waiting times of rate `weight`, shortest first (Efraimidis and Spirakis 2006): one pass, nothing is redrawn.
    if (weight === undefined) keys[place] = lastKey
    else keys[place] = weight > 0 ? -Math.log(1 - random()) / weight : lateKey
  }
  return inOrderOf(candidates, keys)
}

/** The same order with `chosen` in front. */
export function moveFirst(candidates: readonly Candidate[], chosen: Candidate): readonly Candidate[] {
  if (candidates[0] === chosen) return candidates
  return [chosen, ...candidates.filter((candidate) => candidate !== chosen)]
}

/** One of several, each as likely; undefined of none. */
export function pick(candidates: readonly Candidate[], random: Random): Candidate | undefined {
  return candidates[Math.floor(random() * candidates.length)]
}

/**
 * One that should get only a share of its calls (its upstream limits the rate) lets the others go first for the
 * rest of them.
 */
export function giveWay(ordered: readonly Candidate[], random: Random): readonly Candidate[] {
  if (ordered.every(({ standing }) => standing.share === 1)) return ordered
  const staying: Candidate[] = []
  const yielding: Candidate[] = []
  for (const candidate of ordered) {
    const { share } = candidate.standing
    const stays = share === 1 || random() < share
    ;(stays ? staying : yielding).push(candidate)
  }
  return [...staying, ...yielding]
}

/** Above every key that is made of a score, and still a number when a place is written into it. */
const lateKey = 1e306
const lastKey = 1e307

const placeBits = 0xffff

/** Where the end of a fraction lies in the two halves of a double. */
const lowerHalf = endianness() === 'LE' ? 0 : 1

/**
 * Lowest key first. Numbers alone are sorted several times faster than things by a comparison, so each key bears its
 * candidate's place in the last 16 bits of its fraction: keys that agree to ten digits are equals, as they stand.
 */
function inOrderOf(candidates: readonly Candidate[], keys: Float64Array): readonly Candidate[] {
  if (keys.length > placeBits) throw new RangeError(`A route has at most ${placeBits} deployments.`)
  const halves = new Uint32Array(keys.buffer)
  for (let place = 0; place < keys.length; place++) {
    if (!((keys[place] ?? 0) <= lateKey)) keys[place] = lastKey
    const half = place * 2 + lowerHalf
    halves[half] = ((halves[half] ?? 0) & ~placeBits) | place
  }
  keys.sort()
  const ordered: Candidate[] = []
  for (let rank = 0; rank < keys.length; rank++) {
    const candidate = candidates[(halves[rank * 2 + lowerHalf] ?? 0) & placeBits]
    if (candidate !== undefined) ordered.push(candidate)
  }
  return ordered
}
