import type { Random } from '../../model/ports.ts'
import type { Candidate } from './candidate.ts'
import { moveFirst, pick } from './ranking.ts'
import type { OrderParts } from './strategy.ts'

/**
 * The order, but that one of which it is not known, or no longer, how long it takes now goes first, so that its cost
 * be known: one that was never tried at once, the others for a small part of the calls. A price that is not known is
 * not found out by paying it.
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

/** The order, but that one of those `among` goes first, each as often; as it is where there are none. */
export function anyFirst(
  ordered: readonly Candidate[],
  among: readonly Candidate[],
  random: Random,
): readonly Candidate[] {
  const chosen = pick(among, random)
  return chosen === undefined ? ordered : moveFirst(ordered, chosen)
}

const measuringShare = 1 / 50

/** An upstream that limits its rate is asked for nothing that is not needed. */
function isToBeMeasured({ isUnmeasured, standing }: Candidate): boolean {
  return isUnmeasured && standing.share === 1
}
