import type { Candidate } from '../candidate.ts'
import type { Random } from '../ports.ts'
import { moveFirst, pick } from './ranking.ts'

/**
 * The order, but that one of which it is not known, or no longer, how long it takes now goes first, so that its cost
 * be known: one that was never tried at once, the others for a small part of the calls. A price that is not known is
 * not found out by paying it.
 */
export function measuring(
  ordered: readonly Candidate[],
  candidates: readonly Candidate[],
  random: Random,
): readonly Candidate[] {
  if (!candidates.some(isToBeMeasured)) return ordered
  const untried = candidates.find((one) => one.standing.isUntried && isToBeMeasured(one))
  if (untried !== undefined) return moveFirst(ordered, untried)
  return nowAndThen(ordered, isToBeMeasured, measuringShare, random)
}

/** The order, but that for this part of the calls one that `may` go first does, each as often. */
export function nowAndThen(
  ordered: readonly Candidate[],
  may: (candidate: Candidate, rank: number) => boolean,
  share: number,
  random: Random,
): readonly Candidate[] {
  if (random() >= share) return ordered
  const chosen = pick(ordered.filter(may), random)
  return chosen === undefined ? ordered : moveFirst(ordered, chosen)
}

const measuringShare = 1 / 50

/** An upstream that limits its rate is asked for nothing that is not needed. */
function isToBeMeasured({ isUnmeasured, standing }: Candidate): boolean {
  return isUnmeasured && standing.share === 1
}
