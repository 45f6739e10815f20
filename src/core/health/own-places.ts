import type { Places } from '../model/shared/places.ts'

/** The places of a process that shares them with no other. */
export function createOwnPlaces(limit: number): Places {
  let used = 0
  return {
    take() {
      if (used >= limit) return false
      used++
      return true
    },
    give() {
      used--
    },
    mayPassOn: () => true,
    wait() {},
    endWait() {},
    get used() {
      return used
    },
  }
}
