import type { Random } from '../../model/ports.ts'
import type { Candidate } from './candidate.ts'
import type { OrderParts, Scores } from './strategy.ts'

/** Above this number of places, one full sort is faster than filling place by place. */
const mostDrawn = 20
const mostInserted = 100

/**
 * Sorts by score, lowest first; ties keep their order, unscored ones go last. Keeps only the first `places`, plus as
 * many as may be moved back.
 */
export function rank(
  candidates: readonly Candidate[],
  scores: Scores,
  { places = candidates.length, isCalm }: Pick<OrderParts, 'places' | 'isCalm'>,
): readonly Candidate[] {
  let wanted = places
  if (!isCalm) for (const { standing } of candidates) if (standing.share < 1) wanted++
  return lowestFirst(candidates, scores, wanted)
}

/**
 * A random order: each place is drawn from the rest by weight. Weight 0 goes last in the given order, unweighted ones
 * after that. Keeps only the first `places`, plus as many as may be moved back.
 */
export function draw(
  candidates: readonly Candidate[],
  weights: Scores,
  { random, places = candidates.length }: Pick<OrderParts, 'random' | 'places'>,
): readonly Candidate[] {
  if (places > mostDrawn) return lowestFirst(candidates, waitingTimes(weights, random), places)
  const left = weights.slice()
  const ordered: Candidate[] = []
  while (ordered.length < places) {
    const place = drawOne(left, random)
    const drawn = candidates[place]
    if (drawn === undefined) break
    ordered.push(drawn)
    left[place] = 0
  }
  if (ordered.length >= places) return ordered
  const idle = candidates.filter((_, place) => weights[place] === 0)
  return [...ordered, ...idle, ...candidates.filter((_, place) => Number.isNaN(weights[place]))]
}

/**
 * The same distribution by exponential waiting times with these rates, shortest first (Efraimidis and Spirakis 2006):
 * one pass with one logarithm per candidate.
 */
function waitingTimes(weights: Scores, random: Random): Scores {
  return weights.map((weight) => {
    if (weight > 0) return -Math.log(1 - random()) / weight
    return weight === 0 ? Number.POSITIVE_INFINITY : Number.NaN
  })
}

/** The position of a weighted random pick; -1 if none has a weight. */
function drawOne(weights: Scores, random: Random): number {
  // Summed each time: subtracting a large weight could lose small ones to rounding.
  let sum = 0
  for (const weight of weights) if (weight > 0) sum += weight
  let lot = random() * sum
  let drawn = -1
  for (let place = 0; place < weights.length && lot >= 0; place++) {
    const weight = weights[place] ?? 0
    if (!(weight > 0)) continue
    drawn = place
    lot -= weight
  }
  return drawn
}

/** The same order with `chosen` at the front. */
export function moveFirst(candidates: readonly Candidate[], chosen: Candidate): readonly Candidate[] {
  if (candidates[0] === chosen) return candidates
  return [chosen, ...candidates.filter((candidate) => candidate !== chosen)]
}

/** One of several at random; undefined if there are none. */
export function pick(candidates: readonly Candidate[], random: Random): Candidate | undefined {
  return candidates[Math.floor(random() * candidates.length)]
}

/**
 * A deployment whose share is reduced, because its upstream limits the rate, is moved behind the others for the
 * remaining calls.
 */
export function giveWay(
  ordered: readonly Candidate[],
  { random, isCalm }: Pick<OrderParts, 'random' | 'isCalm'>,
): readonly Candidate[] {
  if (isCalm || ordered.every(({ standing }) => standing.share === 1)) return ordered
  const staying: Candidate[] = []
  const yielding: Candidate[] = []
  for (const candidate of ordered) {
    const { share } = candidate.standing
    const stays = share === 1 || random() < share
    ;(stays ? staying : yielding).push(candidate)
  }
  return [...staying, ...yielding]
}

/** The `places` with the lowest keys, in order; ties keep their order, unknown keys go last. */
function lowestFirst(candidates: readonly Candidate[], keys: Scores, places: number): readonly Candidate[] {
  if (places <= mostInserted) return fewLowestFirst(candidates, keys, places)
  const inOrder = Array.from(keys.keys()).sort((one, other) => {
    const [key = Number.NaN, otherKey = Number.NaN] = [keys[one], keys[other]]
    if (key < otherKey) return -1
    return key > otherKey ? 1 : Number(Number.isNaN(key)) - Number(Number.isNaN(otherKey))
  })
  return inOrder.flatMap((place) => candidates[place] ?? []).slice(0, places)
}

function fewLowestFirst(
  candidates: readonly Candidate[],
  keys: Scores,
  places: number,
): readonly Candidate[] {
  const ordered: Candidate[] = []
  const orderedKeys: number[] = []
  for (let place = 0; place < candidates.length; place++) {
    const candidate = candidates[place]
    const key = keys[place] ?? Number.NaN
    // When all places are taken, the last one is dropped.
    let at = Math.min(ordered.length, places - 1)
    if (candidate === undefined || (at < ordered.length && !isBefore(key, orderedKeys[at]))) continue
    for (; at > 0 && isBefore(key, orderedKeys[at - 1]); at--) {
      ordered[at] = ordered[at - 1] ?? candidate
      orderedKeys[at] = orderedKeys[at - 1] ?? key
    }
    ordered[at] = candidate
    orderedKeys[at] = key
  }
  return ordered
}

function isBefore(key: number, other = Number.NaN): boolean {
  return key < other || (Number.isNaN(other) && !Number.isNaN(key))
}
