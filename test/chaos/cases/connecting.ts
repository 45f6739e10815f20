import { strict as assert } from 'node:assert'
import { type Asked, asked, rowOf } from '../asked-case.ts'
import type { FaultCase } from '../fault-case.ts'
import type { Stage } from '../harness.ts'
import { see } from '../sights.ts'

const failsOver: Pick<Asked, 'sees' | 'outcome' | 'attempts'> = {
  sees: 'whole',
  outcome: 'the next deployment answers',
  attempts: ['unreachable', 'ok'],
}

const distrusted = (name: string, at: string): FaultCase =>
  asked({
    fault: 4,
    name,
    chain: [{ says: 'whole', at }, 'whole'],
    ...failsOver,
    hits: [0, 1],
  })

/** Faults 1 to 6 and 25: connections that are not had, or not kept. */
export const connectingCases: readonly FaultCase[] = [
  asked({
    fault: 1,
    name: 'no listener',
    chain: [{ says: 'whole', at: 'refused' }, 'whole'],
    ...failsOver,
    hits: [0, 1],
    outcome: 'the next deployment answers; the breaker counts one failure',
    async also({ stage, deployments: [refused = ''] }) {
      const { failed } = await stage.deployment(refused)
      assert.equal(failed, 1)
    },
  }),
  asked({
    fault: 1,
    name: 'no listener anywhere',
    chain: [{ says: 'whole', at: 'refused', retries: 0 }],
    sees: { status: 502, code: 'upstream_unreachable' },
    outcome: '502 `upstream_unreachable`; nothing was charged, so an SDK may retry',
    hits: [0],
    attempts: ['unreachable'],
    also({ heard }) {
      assert.notEqual(heard.headers['x-should-retry'], 'false')
    },
  }),
  asked({
    fault: 2,
    name: 'a name that does not exist',
    chain: [{ says: 'whole', at: 'unknown' }, 'whole'],
    ...failsOver,
    hits: [0, 1],
  }),
  asked({
    fault: 2,
    name: 'a resolver that says to try again',
    chain: [{ says: 'whole', at: 'again' }, 'whole'],
    ...failsOver,
    hits: [0, 1],
  }),
  {
    fault: 2,
    name: 'a lookup that stalls, for sixteen concurrent calls',
    outcome: 'the connect clock ends each; the next deployment answers all',
    routes: { 'f2.stalled': [{ says: 'whole', at: 'stalled' }, { says: 'whole' }] },
    async play(stage) {
      const asking = Array.from({ length: 16 }, () => stage.ask({ model: 'f2.stalled' }))
      for (const heard of await Promise.all(asking)) {
        see(heard, 'whole', 'text', false)
        const { attempts } = await rowOf(stage, heard)
        assert.equal(attempts.at(-1)?.outcome, 'ok')
      }
      assert.equal(stage.upstream.hits('whole/f2.stalled.1'), 16)
      await stage.rest()
    },
  },
  asked({
    fault: 3,
    name: 'unanswered packets',
    chain: [{ says: 'whole', at: 'blackhole' }, 'whole'],
    ...failsOver,
    hits: [0, 1],
    outcome: 'the connect clock ends it; the next deployment answers',
  }),
  asked({
    fault: 4,
    name: 'one that can be trusted, for comparison',
    chain: [{ says: 'whole', at: 'tls-sound' }],
    sees: 'whole',
    outcome: 'answered',
    attempts: ['ok'],
  }),
  distrusted('expired', 'tls-expired'),
  distrusted('of another host', 'tls-other-host'),
  distrusted('signed by itself', 'tls-self-signed'),
  asked({
    fault: 4,
    name: 'expired, and nowhere else to go',
    chain: [{ says: 'whole', at: 'tls-expired', retries: 0 }],
    sees: { status: 502, code: 'upstream_unreachable' },
    outcome: '502, never an insecure connection; the log names the reason',
    hits: [0],
    attempts: ['unreachable'],
    also({ row }) {
      assert.equal(row.failure?.causeCode, 'CERT_HAS_EXPIRED')
    },
  }),
  asked({
    fault: 5,
    name: 'the first request is reset',
    chain: ['reset,whole'],
    sees: 'whole',
    outcome: 'asked once more; the first attempt is marked as perhaps billed',
    hits: [2],
    attempts: ['unreachable', 'ok'],
    also({ row }) {
      assert.equal(row.attempts[0]?.isUncertain, true)
      assert.equal(row.costEstimated, true)
    },
  }),
  asked({
    fault: 5,
    name: 'every request is reset',
    chain: ['reset'],
    sees: { status: 502, code: 'upstream_unreachable' },
    outcome: '502 after one more try, and `x-should-retry: false`',
    hits: [2],
    attempts: ['unreachable', 'unreachable'],
    also({ heard }) {
      assert.equal(heard.headers['x-should-retry'], 'false')
    },
  }),
  asked({
    fault: 5,
    name: 'closed without a word, with another deployment',
    chain: ['close', 'whole'],
    ...failsOver,
  }),
  ...(['reset', 'close'] as const).map((how) =>
    asked({
      fault: 6,
      name: how === 'reset' ? 'reset' : 'closed',
      chain: [`headers-${how}`, 'whole'],
      forms: ['whole'],
      sees: 'whole',
      outcome: 'the next deployment answers; the caller sees one answer',
      attempts: ['interrupted', 'ok'],
    }),
  ),
  {
    fault: 25,
    name: 'closed behind every tenth answer, unannounced, under load',
    outcome: 'no caller sees it; every request sent twice is in a record',
    routes: { 'f25.stale': [{ says: 'stale', more: { retryDelayMs: 20 } }] },
    async play(stage) {
      const calls = stage.isLong ? 5000 : 400
      const attempts = await load(stage, 'f25.stale', calls)
      const hits = stage.upstream.hits('stale/f25.stale.0')
      assert(hits <= attempts && hits >= calls, `${hits} hits, ${attempts} attempts`)
      await stage.rest()
    },
  },
  {
    fault: 25,
    name: 'an upstream that restarts, and resets all it had open',
    outcome: 'no caller sees it',
    routes: { 'f25.restart': [{ says: 'whole' }] },
    async play(stage) {
      for (const _turn of [1, 2, 3]) {
        await load(stage, 'f25.restart', 64)
        stage.upstream.closeIdle('RST')
      }
      await stage.rest()
    },
  },
]

/** Makes so many calls, eight at a time, each of which must be answered. Gives how many attempts that took. */
async function load(stage: Stage, model: string, calls: number): Promise<number> {
  let left = calls
  let attempts = 0
  const asking = async () => {
    while (left-- > 0) {
      const heard = await stage.ask({ model })
      see(heard, 'whole', 'text', false)
      const row = await rowOf(stage, heard)
      attempts += row.attempts.length
    }
  }
  await Promise.all(Array.from({ length: 8 }, asking))
  return attempts
}
