import type { SharedState, Spent } from '../../core/model/shared/state.ts'
import type { Peer } from './peer.ts'

/** The shared state for a worker: each step is a request to the primary process. */
export function createPrimaryState(primary: Peer): SharedState {
  const asking =
    <Name extends keyof SharedState>(name: Name) =>
    (...given: Parameters<SharedState[Name]>) =>
      primary.ask(`state.${name}`, ...given) as ReturnType<SharedState[Name]>
  return {
    reserve: asking('reserve'),
    grow: asking('grow'),
    settle: asking('settle'),
    resolve: asking('resolve'),
    charge: createCharging(primary),
    read: asking('read'),
    holdsOn: asking('holdsOn'),
    admit: asking('admit'),
    refund: asking('refund'),
    readRates: asking('readRates'),
    release: asking('release'),
    allot: asking('allot'),
    abandon: asking('abandon'),
  }
}

/** The calls of a key add to the same counters, so the charges of one turn are sent as one sum per counter. */
function createCharging(primary: Peer): SharedState['charge'] {
  type Sum = { readonly counter: string; spentNanoUsd: number }
  let turn = -1
  let sums = new Map<string, Sum>()
  let list: Sum[] = []
  let charged = Promise.resolve()
  return (spent: readonly Spent[]) => {
    if (turn !== primary.turn || list.length === 0) {
      turn = primary.turn
      sums = new Map()
      list = []
      charged = primary.ask('state.charge', list) as Promise<void>
    }
    for (const { counter, spentNanoUsd } of spent) {
      const sum = sums.get(counter)
      if (sum !== undefined) sum.spentNanoUsd += spentNanoUsd
      else {
        const first = { counter, spentNanoUsd }
        sums.set(counter, first)
        list.push(first)
      }
    }
    return charged
  }
}
