import type { Target, TargetName } from '../setup/targets.ts'

/**
 * Measures every target in every round, the first at its head, the others now in one order and now in the other (A B C,
 * A C B, ...), so that neither a slow drift of the machine nor the order itself favours one of them. The figures of
 * each target stand in round order.
 */
export async function measureInRounds<Figure>(
  [first, ...others]: readonly [Target, ...Target[]],
  rounds: number,
  measure: (target: Target) => Promise<Figure>,
): Promise<Rounds<Figure>> {
  const figures: Record<TargetName, Figure[]> = { direct: [], 'pass-through': [], gateway: [] }
  for (let round = 0; round < rounds; round += 1) {
    for (const target of [first, ...(round % 2 === 0 ? others : others.toReversed())]) {
      figures[target.name].push(await measure(target))
    }
  }
  return figures
}

/** The figures of each target, in round order. */
export type Rounds<Figure> = Record<TargetName, readonly Figure[]>

/** The rounds of several instances, as if they were those of one. */
export function joinRounds<Figure>(instances: readonly Rounds<Figure>[]): Rounds<Figure> {
  const of = (name: TargetName) => instances.flatMap((rounds) => rounds[name])
  return { direct: of('direct'), 'pass-through': of('pass-through'), gateway: of('gateway') }
}
