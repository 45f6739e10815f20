import { strict as assert } from 'node:assert'
import { asked, type Played, rowOf } from '../asked-case.ts'
import type { FaultCase } from '../fault-case.ts'
import { see } from '../sights.ts'

const quick = { firstTokenMs: 200, idleMs: 200, totalMs: 400 }

async function givesUp({ stage: { upstream }, models: [model = ''] }: Played): Promise<void> {
  await upstream.until(() => upstream.abandoned(model) === 1)
}

/** Faults 12 and 13: upstreams that take for ever. */
export const waitingCases: readonly FaultCase[] = [
  asked({
    fault: 12,
    name: 'with another deployment',
    chain: [{ says: 'silent', clocks: quick }, 'whole'],
    sees: 'whole',
    outcome: 'a clock ends it; the next deployment answers',
    attempts: ['timeout', 'ok'],
    also: givesUp,
  }),
  asked({
    fault: 12,
    name: 'and nowhere else to go',
    chain: [{ says: 'silent', clocks: quick, retries: 3 }],
    sees: { status: 504, code: 'upstream_timeout' },
    outcome: '504 `upstream_timeout`; a silent upstream is asked once, and SDKs do not retry',
    attempts: ['timeout'],
    also({ heard }) {
      assert.equal(heard.headers['x-should-retry'], 'false')
    },
  }),
  asked({
    fault: 13,
    name: 'with another deployment',
    chain: [{ says: 'drip', clocks: quick }, 'whole'],
    sees: 'whole',
    outcome: 'the total clock ends it, however lively it drips; the next deployment answers',
    attempts: ['timeout', 'ok'],
    also: givesUp,
  }),
  asked({
    fault: 13,
    name: 'and nowhere else to go',
    chain: [{ says: 'drip', clocks: quick }],
    sees: { status: 504, code: 'upstream_timeout' },
    outcome: '504 `upstream_timeout`; the upstream is given up',
    attempts: ['timeout'],
    also: givesUp,
  }),
  {
    fault: 12,
    name: 'a place at a full upstream, with another deployment',
    outcome: 'the queue has its own clock; the next deployment answers, and no upstream is blamed',
    routes: {
      'f12.held': [{ says: 'silent', at: 'full', shares: 'full' }],
      'f12.queued': [{ says: 'whole', at: 'full', shares: 'full' }, { says: 'whole' }],
    },
    async play(stage) {
      const holder = stage.call({ model: 'f12.held' })
      await stage.upstream.until(() => stage.upstream.hits('silent/f12.held.0') === 1)
      const heard = await stage.ask({ model: 'f12.queued' })
      see(heard, 'whole', 'text', false)
      const { attempts } = await rowOf(stage, heard)
      assert.deepEqual(
        attempts.map(({ outcome }) => outcome),
        ['busy', 'ok'],
      )
      assert.equal(stage.upstream.hits('whole/f12.queued.0'), 0)
      holder.leave('FIN')
      await stage.rest()
    },
  },
]
