import type { Routes } from './harness.ts'
import type { Fault } from './upstream/fault-upstream.ts'

/** A number in [0, 1), the same ones in the same order for a seed. */
export type Dice = () => number

/** Each of these meets one request in twenty of its deployment; the others are answered. */
export const mixes = {
  a: [
    'reset',
    'headers-close',
    'half-length',
    'page',
    'status-500',
    'limited-ms',
    'silent',
    'gzip',
    'no-http',
  ],
  b: [
    'close',
    'half-closing',
    'empty-object',
    'error-inside',
    'status-503',
    'drip',
    'two-lengths',
    'no-content',
  ],
  c: [
    'cut-reset',
    'cut-close',
    'cut-clean',
    'cut-done',
    'error-first',
    'role-then-silence',
    'stall-after',
    'drip-after',
  ],
  d: [
    'usage-none',
    'usage-every',
    'no-done',
    'done-then-more',
    'garbage-after',
    'byte-by-byte',
    'stale',
    'hints',
  ],
} as const

const share = 0.05

/** Mixed deployments, each first for a quarter of the calls. */
export const soakRoutes: Routes = Object.fromEntries(
  Object.keys(mixes).map((first, at, names) => {
    const order = [...names.slice(at), ...names.slice(0, at)]
    const clocks = { firstTokenMs: 300, idleMs: 300, totalMs: 2000 }
    return [`soak-${first}`, order.map((mix) => ({ says: `mix-${mix}`, shares: `soak-${mix}`, clocks }))]
  }),
)

/** The faults those deployments go by. */
export function mixedFaults(faults: ReadonlyMap<string, Fault>, dice: Dice): ReadonlyMap<string, Fault> {
  const mixed = Object.entries(mixes).map(([name, mix]): readonly [string, Fault] => [
    `mix-${name}`,
    (served) => {
      const drawn = mix[Math.floor(dice() / share)] ?? 'whole'
      faults.get(drawn)?.(served)
    },
  ])
  return new Map(mixed)
}

/** Numbers that look drawn, by Marsaglia's xorshift. */
export function diceOf(seed: number): Dice {
  let state = seed | 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}
