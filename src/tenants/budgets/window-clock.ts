import type { Clock } from '../../core/model/ports.ts'
import { type Window, type WindowRule, windowAt } from './windows.ts'

/** The windows that are open now. If the clock steps back, the newest open window stays. */
export interface WindowClock {
  current(rule: WindowRule): Window
  /** How many windows were opened. As long as it is the same, a window that was current before is the newest. */
  readonly openings: number
  /** To restore after a restart. */
  snapshot(): WindowSnapshot
  restore(snapshot: WindowSnapshot): void
}

export type WindowSnapshot = readonly (readonly [rule: string, startMs: number, endMs: number, id: string])[]

export function createWindowClock(clock: Pick<Clock, 'epochMs'>): WindowClock {
  const newest = new Map<string, Window>()
  let openings = 0
  return {
    get openings() {
      return openings
    },
    current(rule) {
      const name = nameOf(rule)
      const known = newest.get(name)
      const now = clock.epochMs()
      if (known !== undefined && now < known.endMs) return known
      const opened = windowAt(rule, now)
      newest.set(name, opened)
      openings++
      return opened
    },
    snapshot: () =>
      Array.from(newest)
        .filter(([, { id }]) => id !== 'total')
        .map(([name, { startMs, endMs, id }]) => [name, startMs, endMs, id]),
    restore(snapshot) {
      for (const [name, startMs, endMs, id] of snapshot) newest.set(name, { startMs, endMs, id })
      openings++
    },
  }
}

function nameOf({ window, zone, weekStart }: WindowRule): string {
  return window === 'week' ? `${window}${weekStart} ${zone}` : `${window} ${zone}`
}
