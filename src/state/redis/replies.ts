import type {
  AdmitRequest,
  Admittance,
  Allotment,
  Blocker,
  CounterReading,
  HoldPart,
  OpenHold,
  RateReading,
  Reservation,
} from '../../core/model/shared/state.ts'
import type { Reply } from './connection.ts'

/** The result of `reserve`, and the counters on which other nodes have leased the missing amount. */
export type Reserved = { readonly reservation: Reservation; readonly leased: readonly string[] }

export function reservedOf(reply: Reply, parts: readonly HoldPart[]): Reserved {
  const [isTaken = 0, ...numbers] = numbersOf(reply)
  if (isTaken === 1) return { reservation: { isTaken: true }, leased: [] }
  const blockers: Blocker[] = []
  const leased: string[] = []
  for (let at = 0; at < numbers.length; at += 5) {
    const [index = 0, spentNanoUsd = 0, heldNanoUsd = 0, uncertainNanoUsd = 0, leasedNanoUsd = 0] =
      numbers.slice(at, at + 5)
    const part = parts[index]
    if (part === undefined) continue
    const { counter, nanoUsd: wantedNanoUsd, limitNanoUsd } = part
    const used = spentNanoUsd + heldNanoUsd + uncertainNanoUsd
    if (leasedNanoUsd > 0 && used + wantedNanoUsd <= limitNanoUsd) leased.push(counter)
    blockers.push({ counter, wantedNanoUsd, spentNanoUsd, heldNanoUsd, uncertainNanoUsd })
  }
  // Leases matter only if they are the only obstacle.
  const isForLeases = leased.length === blockers.length
  return { reservation: { isTaken: false, blockers }, leased: isForLeases ? leased : [] }
}

export function readingsOf(reply: Reply): readonly CounterReading[] {
  const numbers = numbersOf(reply)
  return Array.from({ length: numbers.length / 3 }, (_, at) => ({
    spentNanoUsd: numbers[3 * at] ?? 0,
    heldNanoUsd: numbers[3 * at + 1] ?? 0,
    uncertainNanoUsd: numbers[3 * at + 2] ?? 0,
  }))
}

export function holdsOf(reply: Reply): readonly OpenHold[] {
  return listOf(reply).map((each) => {
    const [id = '', owner = '', ...rest] = listOf(each).map(String)
    const parts = Array.from({ length: rest.length / 2 }, (_, at) => ({
      counter: rest[2 * at] ?? '',
      nanoUsd: Number(rest[2 * at + 1]),
    }))
    return { id, owner, parts }
  })
}

export function admittanceOf(reply: Reply, { rates, slots }: AdmitRequest): Admittance {
  const [isAdmitted, ...rest] = listOf(reply)
  const used = rest.slice(3 * rates.length).map(Number)
  return {
    isAdmitted: isAdmitted === 1,
    rates: rateReadingsOf(rest.slice(0, 3 * rates.length)),
    slots: slots.map((_, at) => ({ used: used[2 * at] ?? 0, isFull: used[2 * at + 1] === 1 })),
  }
}

/** An allotment, and how many places of the pool are free. */
export function allotmentOf(reply: Reply): { readonly allotment: Allotment; readonly free: number } {
  const [places, isAwaited, free, given] = listOf(reply)
  return {
    allotment: { places: Number(places), isAwaited: isAwaited === 1, given: textsOf(given) },
    free: Number(free),
  }
}

export function rateReadingsOf(reply: Reply): readonly RateReading[] {
  const numbers = listOf(reply).map(Number)
  return Array.from({ length: numbers.length / 3 }, (_, at) => {
    const waitMs = numbers[3 * at + 2] ?? 0
    return {
      remaining: numbers[3 * at] ?? 0,
      resetMs: numbers[3 * at + 1] ?? 0,
      retryAfterMs: waitMs < 0 ? Number.POSITIVE_INFINITY : waitMs,
    }
  })
}

export function listOf(reply: Reply | undefined): readonly Reply[] {
  return Array.isArray(reply) ? reply : []
}

export function textsOf(reply: Reply | undefined): readonly string[] {
  return listOf(reply).map(String)
}

export function numbersOf(reply: Reply | undefined): readonly number[] {
  return listOf(reply).map(Number)
}
