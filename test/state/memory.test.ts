import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { HoldPart } from '../../src/core/model/shared/state.ts'
import { createMemoryState, type MemoryState } from '../../src/state/memory.ts'
import { createMemoryBus } from '../../src/state/memory-bus.ts'
import { createMemoryCache } from '../../src/state/memory-cache.ts'
import { describeBus } from '../contracts/bus.ts'
import { describePools } from '../contracts/pools.ts'
import { describeSharedCache } from '../contracts/shared-cache.ts'
import { describeState, type Subject } from '../contracts/state.ts'

const subject: Subject = {
  name: 'memory',
  async open() {
    let now = 1_000_000
    const clock = { now: () => now }
    return {
      state: createMemoryState(clock),
      async pass(ms) {
        now += ms
      },
      async [Symbol.asyncDispose]() {},
    }
  },
}

describeState(subject)
describePools(subject)

describeSharedCache({
  name: 'memory',
  async open() {
    let now = 1_000_000
    const cache = createMemoryCache({ now: () => now })
    return {
      cache,
      other: cache,
      async pass(ms) {
        now += ms
      },
      async [Symbol.asyncDispose]() {},
    }
  },
})

describeBus({
  name: 'memory',
  async open() {
    const bus = createMemoryBus()
    return { bus, other: bus, async [Symbol.asyncDispose]() {} }
  },
})

const counters = ['key/1', 'key/2', 'team/1', 'team/2', 'all'] as const
const limits: Readonly<Record<string, number>> = {
  'key/1': 50,
  'key/2': 50,
  'team/1': 120,
  'team/2': 120,
  all: 200,
}

/** Operations on money. Calls are few, so that ids repeat. */
const step = fc.oneof(
  fc.record({ kind: fc.constant('reserve' as const), call: fc.nat(9), nano: fc.nat(60), window: fc.nat(1) }),
  fc.record({ kind: fc.constant('grow' as const), call: fc.nat(9), nano: fc.nat(30) }),
  fc.record({
    kind: fc.constant('settle' as const),
    call: fc.nat(9),
    share: fc.integer({ min: 0, max: 4 }),
    uncertain: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('cancel' as const), call: fc.nat(9) }),
  fc.record({ kind: fc.constant('resolve' as const), call: fc.nat(9), nano: fc.nat(10) }),
  fc.record({ kind: fc.constant('restart' as const) }),
  fc.record({ kind: fc.constant('crash' as const) }),
)

type Step = typeof step extends fc.Arbitrary<infer Of> ? Of : never

/** The expected state, computed independently. */
type Book = {
  /** By call: its counters and holds. */
  readonly open: Map<string, { readonly of: readonly string[]; held: number }>
  readonly uncertain: Map<
    string,
    { readonly of: readonly string[]; readonly nano: number; readonly spent: number }
  >
  readonly spent: Map<string, number>
}

function partsOf(of: readonly string[], nanoUsd: number): readonly HoldPart[] {
  return of.map((counter) => ({ counter, nanoUsd, limitNanoUsd: limits[counter] ?? 0 }))
}

function addSpent(book: Book, of: readonly string[], nano: number): void {
  for (const counter of of) book.spent.set(counter, (book.spent.get(counter) ?? 0) + nano)
}

async function take(state: MemoryState, book: Book, each: Step): Promise<MemoryState> {
  const id = 'call' in each ? `call-${each.call}` : ''
  const open = book.open.get(id)
  switch (each.kind) {
    case 'reserve': {
      // The window of admission: it changes while other holds are open in the previous window.
      const of = [`key/${each.window + 1}`, `team/${each.window + 1}`, 'all']
      const isBusy = open !== undefined || book.uncertain.has(id)
      if (isBusy) return state
      const { isTaken } = await state.reserve({ id, owner: 'node', parts: partsOf(of, each.nano) })
      if (isTaken) book.open.set(id, { of, held: each.nano })
      return state
    }
    case 'grow': {
      const { isTaken } = await state.grow(id, partsOf(open?.of ?? ['all'], each.nano))
      if (isTaken && open !== undefined) open.held += each.nano
      expect(isTaken && open === undefined).toBe(false)
      return state
    }
    case 'settle':
    case 'cancel': {
      const spentNanoUsd = each.kind === 'cancel' ? 0 : Math.floor(((open?.held ?? 0) * each.share) / 4)
      const isUncertain = each.kind === 'settle' && each.uncertain
      const uncertainNanoUsd = isUncertain ? (open?.held ?? 0) - spentNanoUsd : 0
      const of = open?.of ?? ['all']
      const charges = of.map((counter) => ({ counter, spentNanoUsd, uncertainNanoUsd }))
      expect(await state.settle(id, charges)).toBe(open !== undefined)
      if (open === undefined) return state
      book.open.delete(id)
      addSpent(book, of, spentNanoUsd)
      if (uncertainNanoUsd > 0) book.uncertain.set(id, { of, nano: uncertainNanoUsd, spent: spentNanoUsd })
      return state
    }
    case 'resolve': {
      const known = book.uncertain.get(id)
      const addedNanoUsd = Math.min(each.nano, known?.nano ?? 0)
      expect(await state.resolve(id, (known?.spent ?? 0) + addedNanoUsd)).toBe(known !== undefined)
      if (known !== undefined) addSpent(book, known.of, addedNanoUsd)
      book.uncertain.delete(id)
      return state
    }
    default: {
      const kept = JSON.parse(JSON.stringify(state.money.snapshot()))
      const after = createMemoryState({ now: () => 0 }, kept)
      if (each.kind === 'restart') return after
      await after.abandon('node')
      for (const [left, { of, held }] of book.open)
        if (held > 0) book.uncertain.set(left, { of, nano: held, spent: 0 })
      book.open.clear()
      return after
    }
  }
}

function sumOver(book: Book, counter: string) {
  const on = (each: { readonly of: readonly string[] }) => each.of.includes(counter)
  return {
    spentNanoUsd: book.spent.get(counter) ?? 0,
    heldNanoUsd: [...book.open.values()].filter(on).reduce((sum, { held }) => sum + held, 0),
    uncertainNanoUsd: [...book.uncertain.values()].filter(on).reduce((sum, { nano }) => sum + nano, 0),
  }
}

describe('any sequence of operations', () => {
  test('no limit is exceeded, nothing is lost, nothing is counted twice', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 80 }), async (steps) => {
        let state = createMemoryState({ now: () => 0 })
        const book: Book = { open: new Map(), uncertain: new Map(), spent: new Map() }
        for (const each of steps) {
          state = await take(state, book, each)
          const readings = await state.read(counters)
          for (const [at, counter] of counters.entries()) {
            expect(readings[at]).toEqual(sumOver(book, counter))
            const { spentNanoUsd = 0, heldNanoUsd = 0, uncertainNanoUsd = 0 } = readings[at] ?? {}
            expect(spentNanoUsd + heldNanoUsd + uncertainNanoUsd).toBeLessThanOrEqual(limits[counter] ?? 0)
          }
        }
      }),
      { numRuns: 200 },
    )
  })
})
