import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isZone, type WindowKind, windowAt, windowKinds } from '../../../src/tenants/budgets/windows.ts'

const at = (window: WindowKind, zone: string, moment: string, weekStart = 1) => {
  const { id, startMs, endMs } = windowAt({ window, zone, weekStart }, Date.parse(moment))
  return [id, new Date(startMs).toISOString(), new Date(endMs).toISOString()]
}

const hours = (window: WindowKind, zone: string, moment: string) => {
  const { startMs, endMs } = windowAt({ window, zone, weekStart: 1 }, Date.parse(moment))
  return (endMs - startMs) / 3_600_000
}

describe('a window', () => {
  test.for<[WindowKind, string, string, string, string, string]>([
    [
      'day',
      'UTC',
      '2026-11-29T23:59:59.999Z',
      '2026-11-29',
      '2026-11-29T00:00:00.000Z',
      '2026-11-30T00:00:00.000Z',
    ],
    [
      'month',
      'UTC',
      '2026-02-28T23:59:59.999Z',
      '2026-02',
      '2026-02-01T00:00:00.000Z',
      '2026-03-01T00:00:00.000Z',
    ],
    [
      'month',
      'UTC',
      '2028-02-29T12:00:00Z',
      '2028-02',
      '2028-02-01T00:00:00.000Z',
      '2028-03-01T00:00:00.000Z',
    ],
    [
      'day',
      'UTC',
      '2028-02-29T12:00:00Z',
      '2028-02-29',
      '2028-02-29T00:00:00.000Z',
      '2028-03-01T00:00:00.000Z',
    ],
    [
      'day',
      'UTC',
      '2100-02-28T12:00:00Z',
      '2100-02-28',
      '2100-02-28T00:00:00.000Z',
      '2100-03-01T00:00:00.000Z',
    ],
    [
      'month',
      'UTC',
      '2026-12-31T23:59:59Z',
      '2026-12',
      '2026-12-01T00:00:00.000Z',
      '2027-01-01T00:00:00.000Z',
    ],
    [
      'quarter',
      'UTC',
      '2026-12-31T23:59:59Z',
      '2026-Q4',
      '2026-10-01T00:00:00.000Z',
      '2027-01-01T00:00:00.000Z',
    ],
    [
      'quarter',
      'UTC',
      '2026-01-01T00:00:00Z',
      '2026-Q1',
      '2026-01-01T00:00:00.000Z',
      '2026-04-01T00:00:00.000Z',
    ],
    ['year', 'UTC', '2028-06-01T00:00:00Z', '2028', '2028-01-01T00:00:00.000Z', '2029-01-01T00:00:00.000Z'],
    // A Sunday: its week began on the Monday before.
    [
      'week',
      'UTC',
      '2026-11-29T12:00:00Z',
      'week-2026-11-23',
      '2026-11-23T00:00:00.000Z',
      '2026-11-30T00:00:00.000Z',
    ],
    [
      'month',
      'Europe/Berlin',
      '2026-10-31T23:00:00Z',
      '2026-11',
      '2026-10-31T23:00:00.000Z',
      '2026-11-30T23:00:00.000Z',
    ],
    [
      'month',
      'Europe/Berlin',
      '2026-10-31T22:59:59Z',
      '2026-10',
      '2026-09-30T22:00:00.000Z',
      '2026-10-31T23:00:00.000Z',
    ],
    [
      'day',
      'Asia/Kolkata',
      '2026-06-01T18:30:00Z',
      '2026-06-02',
      '2026-06-01T18:30:00.000Z',
      '2026-06-02T18:30:00.000Z',
    ],
    [
      'day',
      'Pacific/Kiritimati',
      '2026-01-01T09:59:59Z',
      '2026-01-01',
      '2025-12-31T10:00:00.000Z',
      '2026-01-01T10:00:00.000Z',
    ],
    [
      'day',
      'Pacific/Pago_Pago',
      '2026-01-01T10:59:59Z',
      '2025-12-31',
      '2025-12-31T11:00:00.000Z',
      '2026-01-01T11:00:00.000Z',
    ],
  ])('of a %s in %s at %s', ([window, zone, moment, ...expected]) => {
    expect(at(window, zone, moment)).toEqual(expected)
  })

  test('of a week begins on the day that is set', () => {
    expect(at('week', 'UTC', '2026-11-29T12:00:00Z', 7)[0]).toBe('week-2026-11-29')
    expect(at('week', 'UTC', '2026-11-28T12:00:00Z', 7)[0]).toBe('week-2026-11-22')
    expect(at('week', 'UTC', '2026-11-28T12:00:00Z', 6)[0]).toBe('week-2026-11-28')
  })

  test('of all time has neither beginning nor end', () => {
    const { id, startMs, endMs } = windowAt({ window: 'total', zone: 'UTC', weekStart: 1 }, 0)
    expect([id, startMs, endMs]).toEqual(['total', Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY])
  })
})

describe('the nights on which clocks change', () => {
  test.for<[string, string, number]>([
    ['Europe/Berlin', '2026-03-29T12:00:00Z', 23],
    ['Europe/Berlin', '2026-10-25T12:00:00Z', 25],
    ['America/New_York', '2026-03-08T17:00:00Z', 23],
    ['America/New_York', '2026-11-01T17:00:00Z', 25],
    // By half an hour.
    ['Australia/Lord_Howe', '2026-04-05T02:00:00Z', 24.5],
    ['Australia/Lord_Howe', '2026-10-04T02:00:00Z', 23.5],
    // At midnight: the day begins at one o'clock, and the day before it is an hour longer when it ends twice.
    ['America/Santiago', '2026-09-06T15:00:00Z', 23],
    ['America/Santiago', '2026-04-04T15:00:00Z', 25],
  ])('in %s the day of %s has %s hours', ([zone, moment, length]) => {
    expect(hours('day', zone, moment)).toBe(length)
  })

  test('a day whose midnight does not exist begins where the clock is put forward', () => {
    expect(at('day', 'America/Santiago', '2026-09-06T04:00:00Z')).toEqual([
      '2026-09-06',
      '2026-09-06T04:00:00.000Z',
      '2026-09-07T03:00:00.000Z',
    ])
    expect(at('day', 'America/Santiago', '2026-09-06T03:59:59Z')[0]).toBe('2026-09-05')
  })

  test('an hour that comes twice is of one day', () => {
    const first = at('day', 'Europe/Berlin', '2026-10-25T00:30:00Z')
    expect(at('day', 'Europe/Berlin', '2026-10-25T01:30:00Z')).toEqual(first)
  })
})

test('every moment lies in its window, and windows follow each other without a gap', () => {
  const zone = fc.constantFrom(
    ...[
      'UTC',
      'Europe/Berlin',
      'America/New_York',
      'Australia/Lord_Howe',
      'America/Santiago',
      'Asia/Kathmandu',
    ],
  )
  const moment = fc.integer({ min: Date.UTC(2024, 0), max: Date.UTC(2032, 0) })
  const kind = fc.constantFrom(...windowKinds.filter((each) => each !== 'total'))
  fc.assert(
    fc.property(kind, zone, moment, fc.integer({ min: 1, max: 7 }), (window, inZone, epochMs, weekStart) => {
      const rule = { window, zone: inZone, weekStart }
      const here = windowAt(rule, epochMs)
      expect(here.startMs).toBeLessThanOrEqual(epochMs)
      expect(here.endMs).toBeGreaterThan(epochMs)
      expect(windowAt(rule, here.startMs)).toEqual(here)
      expect(windowAt(rule, here.endMs - 1)).toEqual(here)
      const next = windowAt(rule, here.endMs)
      expect(next.startMs).toBe(here.endMs)
      expect(next.id > here.id).toBe(true)
    }),
    { numRuns: 500 },
  )
})

test.for([
  ['Europe/Berlin', true],
  ['UTC', true],
  ['Mars/Olympus', false],
  ['', false],
] as const)('%s is a zone: %s', ([zone, is]) => {
  expect(isZone(zone)).toBe(is)
})
