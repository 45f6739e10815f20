import type { Deployment, Route, Traits } from './ports.ts'
import type { Price } from './price.ts'
import { createRecent } from './recent.ts'
import type { Standings } from './standings.ts'
import type { Incumbent } from './strategies/strategy.ts'
import type { Track } from './track.ts'

/** What planning reads of a route's deployments, at hand: with many of them, looking it up anew is what would cost. */
export interface Roster {
  /** For one model, by the route's spelling or the caller's. `now`: the clock's monotonic milliseconds. */
  of(model: string, now: number): Lineup
}

export type Lineup = {
  /** In the places of the route's deployments. */
  readonly seats: readonly Seat[]
  /** There is one that charges less for cached input. */
  readonly isSticky: boolean
  readonly incumbent: Incumbent
}

export type Seat = {
  /** As it is for the model. */
  readonly deployment: Deployment
  readonly track: Track
  /** The deployment's, as they were within the last second. */
  readonly price: Price
  readonly traits: Traits
}

export function createRoster({ deployments }: Route, standings: Pick<Standings, 'trackOf'>): Roster {
  const isByName = deployments.some(({ forModel }) => forModel !== undefined)
  const lineups = createRecent<{ lineup: Lineup; freshUntil: number }>(mostModels)
  return {
    of(model, now) {
      const key = isByName ? model : ''
      const known = lineups.get(key)
      if (known !== undefined && now < known.freshUntil) return known.lineup
      const lineup = lineUp(deployments, model, standings, known?.lineup.incumbent)
      lineups.set(key, { lineup, freshUntil: now + freshMs })
      return lineup
    },
  }
}

/** Callers name models as they like. */
const mostModels = 100

/** Neither a price nor a trait changes more often than once a minute. */
const freshMs = 1000

function lineUp(
  deployments: readonly Deployment[],
  model: string,
  standings: Pick<Standings, 'trackOf'>,
  incumbent: Incumbent = { id: undefined },
): Lineup {
  const seats = deployments.map((each): Seat => {
    const deployment = each.forModel?.(model) ?? each
    const { price, traits } = deployment
    return { deployment, track: standings.trackOf(deployment), price, traits }
  })
  return { seats, isSticky: seats.some(({ price }) => isCheaperCached(price)), incumbent }
}

function isCheaperCached(price: Price): boolean {
  const { inputNanoUsdPerMillion: input, cachedInputNanoUsdPerMillion: cachedInput } = price
  return input !== undefined && cachedInput !== undefined && cachedInput < input
}
