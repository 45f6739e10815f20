import { describe, expect, test } from 'vitest'
import type { Charge, HoldPart, NewHold, Rate, SharedState } from '../../src/core/model/shared/state.ts'

/** A shared state that the suite is run on. */
export type Subject = {
  readonly name: string
  open(): Promise<Stage>
}

export type Stage = AsyncDisposable & {
  readonly state: SharedState
  /** Advances the state's own clock. */
  pass(ms: number): Promise<void>
}

const part = (counter: string, nanoUsd: number, limitNanoUsd = 100): HoldPart => ({
  counter,
  nanoUsd,
  limitNanoUsd,
})
const hold = (id: string, ...parts: readonly HoldPart[]): NewHold => ({ id, owner: 'node-1', parts })
const charge = (counter: string, spentNanoUsd: number, uncertainNanoUsd = 0): Charge => ({
  counter,
  spentNanoUsd,
  uncertainNanoUsd,
})
const reading = (spentNanoUsd: number, heldNanoUsd: number, uncertainNanoUsd = 0) => ({
  spentNanoUsd,
  heldNanoUsd,
  uncertainNanoUsd,
})

/** Runs the suite that every shared state has to pass. */
export function describeState({ name, open }: Subject): void {
  describe(`money in ${name}`, () => {
    test('a hold is taken on all of its counters', async () => {
      await using stage = await open()
      const { state } = stage
      expect(await state.reserve(hold('a', part('key', 40), part('team', 60)))).toEqual({ isTaken: true })
      expect(await state.read(['key', 'team', 'other'])).toEqual([
        reading(0, 40),
        reading(0, 60),
        reading(0, 0),
      ])
    })

    test('or on none: one without room refuses it for all, and reports its state', async () => {
      await using stage = await open()
      const { state } = stage
      await state.reserve(hold('a', part('team', 70)))
      expect(await state.reserve(hold('b', part('key', 40), part('team', 31)))).toEqual({
        isTaken: false,
        blockers: [{ counter: 'team', wantedNanoUsd: 31, ...reading(0, 70) }],
      })
      expect(await state.read(['key', 'team'])).toEqual([reading(0, 0), reading(0, 70)])
    })

    test.for([
      ['to the last nano-USD', 30, true],
      ['and not one more', 31, false],
    ] as const)('spent, uncertain and held amounts fill a limit %s', async ([, wanted, isTaken]) => {
      await using stage = await open()
      const { state } = stage
      await state.reserve(hold('a', part('key', 50)))
      await state.settle('a', [charge('key', 30, 20)])
      await state.reserve(hold('b', part('key', 20)))
      expect(await state.reserve(hold('c', part('key', wanted)))).toMatchObject({ isTaken })
    })

    test('a second hold with the same id changes nothing', async () => {
      await using stage = await open()
      const { state } = stage
      await state.reserve(hold('a', part('key', 60)))
      expect(await state.reserve(hold('a', part('key', 60)))).toEqual({ isTaken: true })
      expect(await state.read(['key'])).toEqual([reading(0, 60)])
    })

    test('a hold grows within the limits, also on a counter that is new to it', async () => {
      await using stage = await open()
      const { state } = stage
      await state.reserve(hold('a', part('key', 60)))
      expect(await state.grow('a', [part('key', 30), part('team', 5)])).toEqual({ isTaken: true })
      expect(await state.grow('a', [part('key', 11), part('team', 1)])).toMatchObject({ isTaken: false })
      expect(await state.read(['key', 'team'])).toEqual([reading(0, 90), reading(0, 5)])
    })

    test('a hold that is not open does not grow', async () => {
      await using stage = await open()
      const { state } = stage
      expect(await state.grow('nobody', [part('key', 1)])).toEqual({ isTaken: false, blockers: [] })
      expect(await state.read(['key'])).toEqual([reading(0, 0)])
    })

    test('a settled hold is released, and charged once', async () => {
      await using stage = await open()
      const { state } = stage
      await state.reserve(hold('a', part('key', 60), part('team', 60)))
      const charges = [charge('key', 25), charge('team', 25)]
      expect(await state.settle('a', charges)).toBe(true)
      expect(await state.settle('a', charges)).toBe(false)
      expect(await state.read(['key', 'team'])).toEqual([reading(25, 0), reading(25, 0)])
    })

    test('a charge beyond the hold counts, and blocks the next hold', async () => {
      await using stage = await open()
      const { state } = stage
      await state.reserve(hold('a', part('key', 90)))
      await state.settle('a', [charge('key', 120)])
      expect(await state.read(['key'])).toEqual([reading(120, 0)])
      expect(await state.reserve(hold('b', part('key', 1)))).toMatchObject({ isTaken: false })
    })

    test('an uncertain amount becomes certain once', async () => {
      await using stage = await open()
      const { state } = stage
      await state.reserve(hold('a', part('key', 60), part('team', 60)))
      await state.settle('a', [charge('key', 10, 40), charge('team', 10, 40)])
      expect(await state.resolve('a', 25)).toBe(true)
      expect(await state.resolve('a', 25)).toBe(false)
      expect(await state.read(['key', 'team'])).toEqual([reading(25, 0), reading(25, 0)])
    })

    test('known amounts are not reduced, and counters without uncertain amounts do not change', async () => {
      await using stage = await open()
      const { state } = stage
      await state.reserve(hold('a', part('key', 60), part('provider', 10)))
      await state.settle('a', [charge('key', 30, 20), charge('provider', 10)])
      expect(await state.resolve('a', 25)).toBe(true)
      expect(await state.read(['key', 'provider'])).toEqual([reading(30, 0), reading(10, 0)])
    })

    test('a call without uncertain amounts cannot be resolved', async () => {
      await using stage = await open()
      const { state } = stage
      await state.reserve(hold('a', part('key', 60)))
      await state.settle('a', [charge('key', 10)])
      expect(await state.resolve('a', 15)).toBe(false)
      expect(await state.read(['key'])).toEqual([reading(10, 0)])
    })

    test('a charge without a hold counts', async () => {
      await using stage = await open()
      const { state } = stage
      await state.charge([{ counter: 'key', spentNanoUsd: 7 }])
      expect(await state.read(['key'])).toEqual([reading(7, 0)])
    })

    test('the holds on a counter are listed', async () => {
      await using stage = await open()
      const { state } = stage
      await state.reserve(hold('a', part('key', 10), part('team', 10)))
      await state.reserve(hold('b', part('team', 20)))
      expect(await state.holdsOn('key')).toEqual([
        expect.objectContaining({
          id: 'a',
          owner: 'node-1',
          parts: [
            { counter: 'key', nanoUsd: 10 },
            { counter: 'team', nanoUsd: 10 },
          ],
        }),
      ])
      expect((await state.holdsOn('team')).map(({ id }) => id).toSorted()).toEqual(['a', 'b'])
      await state.reserve(hold('c', part('each~ann|day', 10)))
      await state.reserve(hold('d', part('each~bob|week', 10)))
      expect((await state.holdsOn('each~', '|day')).map(({ id }) => id)).toEqual(['c'])
    })

    test('of many at once, as many pass as the limit allows', async () => {
      await using stage = await open()
      const { state } = stage
      const taken = await Promise.all(
        Array.from({ length: 200 }, (_, at) =>
          state.reserve(hold(`call-${at}`, part('key', 3, 300), part('team', 3, 210), part('all', 3, 400))),
        ),
      )
      expect(taken.filter(({ isTaken }) => isTaken)).toHaveLength(70)
      expect(await state.read(['key', 'team', 'all'])).toEqual(
        Array.from({ length: 3 }, () => reading(0, 210)),
      )
    })

    test('the holds of an abandoned owner are uncertain in full, those of others stay', async () => {
      await using stage = await open()
      const { state } = stage
      await state.reserve(hold('a', part('key', 10), part('team', 12)))
      await state.reserve({ ...hold('b', part('key', 20)), owner: 'node-2' })
      expect(await state.abandon('node-1')).toEqual([
        {
          id: 'a',
          owner: 'node-1',
          parts: [
            { counter: 'key', nanoUsd: 10 },
            { counter: 'team', nanoUsd: 12 },
          ],
        },
      ])
      expect(await state.read(['key', 'team'])).toEqual([reading(0, 20, 10), reading(0, 0, 12)])
      expect(await state.settle('a', [charge('key', 1)])).toBe(false)
      expect(await state.resolve('a', 0)).toBe(true)
      expect(await state.read(['key', 'team'])).toEqual([reading(0, 20), reading(0, 0)])
    })
  })

  describe(`limits in ${name}`, () => {
    /** One token per second, at most ten. */
    const rate: Rate = { key: 'rpm', perMinute: 60, burst: 10 }
    const take = (state: SharedState, amount: number, leaseId = 'call') =>
      state.admit({ leaseId, owner: 'node-1', rates: [{ ...rate, amount }], slots: [] })

    test('a bucket is full at first, and reports what is left and when it is full again', async () => {
      await using stage = await open()
      const admitted = await take(stage.state, 4)
      expect(admitted).toMatchObject({ isAdmitted: true, rates: [{ remaining: 6, retryAfterMs: 0 }] })
      expect(around(admitted.rates[0]?.resetMs, 4000)).toBe(true)
    })

    test('an amount that does not fit is refused, takes nothing, and reports the wait', async () => {
      await using stage = await open()
      const { state } = stage
      await take(state, 8)
      const refused = await take(state, 5)
      expect(refused).toMatchObject({ isAdmitted: false, rates: [{ remaining: 2 }] })
      expect(around(refused.rates[0]?.retryAfterMs, 3000)).toBe(true)
      expect(await take(state, 2)).toMatchObject({ isAdmitted: true, rates: [{ remaining: 0 }] })
    })

    test('it fits after exactly that wait', async () => {
      await using stage = await open()
      const { state, pass } = stage
      await take(state, 10)
      const refused = await take(state, 2)
      await pass(Math.ceil(refused.rates[0]?.retryAfterMs ?? 0))
      expect(await take(state, 2)).toMatchObject({ isAdmitted: true })
    })

    test('an amount above a full bucket never fits', async () => {
      await using stage = await open()
      const refused = await take(stage.state, 11)
      expect(refused).toMatchObject({
        isAdmitted: false,
        rates: [{ remaining: 10, retryAfterMs: Number.POSITIVE_INFINITY }],
      })
    })

    test('of several rates and slots, one that refuses refuses for all', async () => {
      await using stage = await open()
      const { state } = stage
      const tokens: Rate = { key: 'tpm', perMinute: 60, burst: 100 }
      const admit = (leaseId: string, amount: number) =>
        state.admit({
          leaseId,
          owner: 'node-1',
          rates: [
            { ...rate, amount: 1 },
            { ...tokens, amount },
          ],
          slots: [{ key: 'key', limit: 2 }],
        })
      expect(await admit('a', 60)).toMatchObject({ isAdmitted: true, slots: [{ used: 1, isFull: false }] })
      expect(await admit('b', 60)).toMatchObject({
        isAdmitted: false,
        rates: [{ remaining: 9 }, { remaining: 40 }],
      })
      expect(await admit('c', 20)).toMatchObject({ isAdmitted: true })
      expect(await admit('d', 1)).toMatchObject({
        isAdmitted: false,
        rates: [{ remaining: 8 }, { remaining: 20 }],
        slots: [{ used: 2, isFull: true }],
      })
    })

    test('a refund counts at once, up to a full bucket', async () => {
      await using stage = await open()
      const { state } = stage
      await take(state, 10)
      await state.refund([{ ...rate, amount: 4 }])
      expect(await state.readRates([rate])).toMatchObject([{ remaining: 4 }])
      await state.refund([{ ...rate, amount: 400 }])
      expect(await state.readRates([rate])).toMatchObject([{ remaining: 10, resetMs: 0 }])
    })

    test('owed amounts are taken, down to one burst below empty', async () => {
      await using stage = await open()
      const { state } = stage
      await state.refund([{ ...rate, amount: -1000 }])
      const [owing] = await state.readRates([rate])
      expect(owing).toMatchObject({ remaining: 0 })
      expect(around(owing?.resetMs, 20_000)).toBe(true)
    })

    test('a place is returned once, even if released twice or never taken', async () => {
      await using stage = await open()
      const { state } = stage
      const admit = (leaseId: string) =>
        state.admit({ leaseId, owner: 'node-1', rates: [], slots: [{ key: 'key', limit: 1 }] })
      expect(await admit('a')).toMatchObject({ isAdmitted: true })
      expect(await admit('b')).toMatchObject({ isAdmitted: false })
      await state.release('b')
      expect(await admit('b')).toMatchObject({ isAdmitted: false })
      await state.release('a')
      await state.release('a')
      expect(await admit('b')).toMatchObject({ isAdmitted: true })
      expect(await admit('c')).toMatchObject({ isAdmitted: false })
    })

    test('the places of an abandoned owner are free', async () => {
      await using stage = await open()
      const { state } = stage
      const slots = [{ key: 'key', limit: 1 }]
      await state.admit({ leaseId: 'a', owner: 'node-1', rates: [], slots })
      await state.abandon('node-2')
      expect(await state.admit({ leaseId: 'b', owner: 'node-2', rates: [], slots })).toMatchObject({
        isAdmitted: false,
      })
      await state.abandon('node-1')
      expect(await state.admit({ leaseId: 'b', owner: 'node-2', rates: [], slots })).toMatchObject({
        isAdmitted: true,
      })
    })
  })
}

/** With a running clock, slightly less is left. */
function around(ms: number | undefined, expected: number): boolean {
  return ms !== undefined && ms <= expected && ms > expected - 900
}
