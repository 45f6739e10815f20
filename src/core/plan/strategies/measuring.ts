import type { Random } from '../../model/ports.ts'
import type { Candidate } from './candidate.ts'
import { moveFirst, pick } from './ranking.ts'
import type { OrderParts } from './strategy.ts'

/**
 * Moves a deployment whose duration is unknown or outdated to the front, so that its cost becomes known: at once if it
 * was never tried, else for a small share of calls. Does not apply to unknown prices, which a call would not reveal.
 */
export function measuring(
  ordered: readonly Candidate[],
  candidates: readonly Candidate[],
  { random, isCalm }: Pick<OrderParts, 'random' | 'isCalm'>,
): readonly Candidate[] {
  if (isCalm || !candidates.some(isToBeMeasured)) return ordered
  const untried = candidates.find((one) => one.standing.isUntried && isToBeMeasured(one))
  if (untried !== undefined) return moveFirst(ordered, untried)
  return random() < measuringShare ? anyFirst(ordered, candidates.filter(isToBeMeasured), random) : ordered
}

/** Moves one of `among` to the front, each with the same probability; unchanged if there is none. */
export function anyFirst(
  ordered: readonly Candidate[],
  among: readonly Candidate[],
  random: Random,
): readonly Candidate[] {
  const chosen = pick(among, random)
  return chosen === undefined ? ordered : moveFirst(ordered, chosen)
}

const measuringShare = 1 / 50

/** A rate-limited upstream gets no measuring calls. */
function isToBeMeasured({ isUnmeasured, standing }: Candidate): boolean {
  return isUnmeasured && standing.share === 1
}
