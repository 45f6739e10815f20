import { expect, test } from 'vitest'
import type { CallPlace, CallsQuestion } from '../../../src/ledger/store/calls.ts'
import { dayMs } from '../../../src/ledger/store/rollup.ts'
import type { CallSaid } from '../lines.ts'
import { setUp, type TestDatabase } from './scene.ts'

/** Searches and counts over many days, in every store. */
export function searchContract(make: () => Promise<TestDatabase>): void {
  test.for<[string, CallsQuestion['filters']]>([
    ['all calls', {}],
    ['those of one index', { key: 'k1' }],
    ['those of two', { key: 'k1', failed: true }],
    ['those whose record is read', { provider: 'north' }],
  ])('gives pages of %s over many days, none twice and none left out', async ([, filters]) => {
    await using scene = await setUp(make)
    await scene.write(said)
    const sought = said.filter(([, { key, status = 200, provider }]) => {
      if (filters.failed === true && status < 400) return false
      return key === (filters.key ?? key) && provider === (filters.provider ?? provider)
    })
    const found: string[] = []
    for (let before: CallPlace | undefined; ; ) {
      const { calls } = await scene.store.calls({ filters, limit: 7, before })
      found.push(...calls.map(({ call }) => call.requestId))
      const last = calls.at(-1)
      if (last === undefined) break
      before = { at: last.startedEpochMs, id: last.call.requestId }
    }
    expect(found).toEqual(sought.map(([id]) => id).toReversed())
    const span = { from: 5 * dayMs + 1, to: 60 * dayMs, stepMs: 7 * dayMs, filters }
    const { rows, isComplete } = await scene.store.counts(span)
    const counted = sought.filter(([, { at = 0 }]) => at >= span.from && at < span.to).length
    expect([rows.reduce((sum, { calls }) => sum + calls, 0), isComplete]).toEqual([counted, true])
    expect(rows).toEqual(rows.toSorted((one, other) => one.at - other.at))
  })

  /** Three calls a day, and none on some days. */
  const said = Array.from({ length: 70 }, (_, day) => day)
    .filter((day) => day % 11 !== 0)
    .flatMap((day) =>
      [0, 1, 2].map((nth): [string, CallSaid] => {
        const id = `req_${String(3 * day + nth).padStart(4, '0')}`
        const status = day % 3 === 0 ? 503 : 200
        const provider = day % 2 === 0 ? 'north' : 'south'
        return [id, { at: day * dayMs + nth * 1000, key: `k${nth}`, status, provider }]
      }),
    )
}
