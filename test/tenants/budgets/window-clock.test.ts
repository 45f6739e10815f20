import { describe, expect, test } from 'vitest'
import { createWindowClock } from '../../../src/tenants/budgets/window-clock.ts'

const day = { window: 'day', zone: 'Europe/Berlin', weekStart: 1 } as const

function scene(start: string) {
  let now = Date.parse(start)
  const clock = { epochMs: () => now }
  return {
    windows: createWindowClock(clock),
    at(moment: string) {
      now = Date.parse(moment)
    },
  }
}

describe('the window that is open', () => {
  test('is another once its end has come', () => {
    const { windows, at } = scene('2026-11-29T22:59:59.999Z')
    expect(windows.current(day).id).toBe('2026-11-29')
    at('2026-11-29T23:00:00.000Z')
    expect(windows.current(day).id).toBe('2026-11-30')
  })

  test('stays open when the clock steps back', () => {
    const { windows, at } = scene('2026-11-29T23:30:00Z')
    expect(windows.current(day).id).toBe('2026-11-30')
    at('2026-11-29T20:00:00Z')
    expect(windows.current(day).id).toBe('2026-11-30')
    at('2026-11-30T23:00:00Z')
    expect(windows.current(day).id).toBe('2026-12-01')
  })

  test('stays open after a restart, too', () => {
    const { windows } = scene('2026-11-29T23:30:00Z')
    windows.current(day)
    windows.current({ ...day, window: 'total' })
    const kept = JSON.parse(JSON.stringify(windows.snapshot()))
    const next = scene('2026-11-29T20:00:00Z').windows
    next.restore(kept)
    expect(next.current(day).id).toBe('2026-11-30')
  })

  test('follows a clock that jumps ahead over several', () => {
    const { windows, at } = scene('2026-11-29T12:00:00Z')
    windows.current(day)
    at('2027-03-01T12:00:00Z')
    expect(windows.current(day).id).toBe('2027-03-01')
  })
})
