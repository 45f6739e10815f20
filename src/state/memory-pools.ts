import type { Allotment, PlacesWanted } from '../core/model/shared/state.ts'

/** Pools of places that are divided among processes, as in `SharedState`. */
export interface MemoryPools {
  allot(wanted: PlacesWanted): Allotment
  abandon(owner: string): void
  /** How many places of a pool all processes have together. */
  heldOf(pool: string): number
  /** Sets the places of a process, regardless of the limit. */
  replay(pool: string, owner: string, places: number): void
}

export function createMemoryPools(): MemoryPools {
  return new Pools()
}

/** The places of each process, and the need of each waiting one, in round-robin order. */
type Pool = { readonly held: Map<string, number>; readonly waiting: Map<string, number> }

class Pools implements MemoryPools {
  readonly #pools = new Map<string, Pool>()

  allot({ pool: name, owner, limit, used, returned, needed, wanted }: PlacesWanted): Allotment {
    const pool = this.#poolOf(name)
    const { held, waiting } = pool
    set(held, owner, Math.max(used, (held.get(owner) ?? 0) - returned))
    if (needed > (held.get(owner) ?? 0)) waiting.set(owner, needed)
    else waiting.delete(owner)
    const given = handOut(pool, limit)
    given.delete(owner)
    const free = limit - sumOf(held)
    const places = held.get(owner) ?? 0
    const spare = waiting.size > 0 ? 0 : Math.min(wanted - places, Math.floor(free / 2))
    if (spare > 0) held.set(owner, places + spare)
    if (held.size === 0 && waiting.size === 0) this.#pools.delete(name)
    return {
      places: held.get(owner) ?? 0,
      isAwaited: waiting.size > (waiting.has(owner) ? 1 : 0),
      given: [...given],
    }
  }

  abandon(owner: string): void {
    for (const [name, { held, waiting }] of this.#pools) {
      held.delete(owner)
      waiting.delete(owner)
      if (held.size === 0 && waiting.size === 0) this.#pools.delete(name)
    }
  }

  heldOf(pool: string): number {
    return sumOf(this.#pools.get(pool)?.held ?? new Map())
  }

  replay(pool: string, owner: string, places: number): void {
    set(this.#poolOf(pool).held, owner, places)
  }

  #poolOf(name: string): Pool {
    let known = this.#pools.get(name)
    if (known === undefined) {
      known = { held: new Map(), waiting: new Map() }
      this.#pools.set(name, known)
    }
    return known
  }
}

/** Gives one place each in turn, until none is free or no process waits. Returns the owners that got any. */
function handOut({ held, waiting }: Pool, limit: number): Set<string> {
  const given = new Set<string>()
  for (let free = limit - sumOf(held); free > 0; free--) {
    const [next] = waiting
    if (next === undefined) break
    const [owner, needed] = next
    const places = (held.get(owner) ?? 0) + 1
    held.set(owner, places)
    given.add(owner)
    waiting.delete(owner)
    if (places < needed) waiting.set(owner, needed)
  }
  return given
}

function set(held: Map<string, number>, owner: string, places: number): void {
  if (places > 0) held.set(owner, places)
  else held.delete(owner)
}

function sumOf(held: ReadonlyMap<string, number>): number {
  let sum = 0
  for (const places of held.values()) sum += places
  return sum
}
