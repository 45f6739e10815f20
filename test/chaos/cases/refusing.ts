import { strict as assert } from 'node:assert'
import { setTimeout } from 'node:timers/promises'
import { asked } from '../asked-case.ts'
import type { FaultCase } from '../fault-case.ts'
import { deploymentId, type Link } from '../harness.ts'
import { see } from '../sights.ts'

const sick: Link = { says: 'status-503' }
const recovering: Link = { says: 'status-503*5,whole' }

/** Faults 9 to 11: upstreams that say no. */
export const refusingCases: readonly FaultCase[] = [
  ...[500, 502, 503, 504].map((status): FaultCase => {
    const model = `f9.burst-${status}`
    return {
      fault: 9,
      name: `status ${status} for a while, with another deployment`,
      outcome: 'every caller is answered; the breaker opens at the fifth failure, and no more calls go there',
      routes: { [model]: [{ says: `status-${status}` }, { says: 'whole' }] },
      async play(stage) {
        for (let call = 0; call < 40; call++) see(await stage.ask({ model }), 'whole', 'text', false)
        assert.equal(stage.upstream.hits(`status-${status}/${model}.0`), 5)
        await stage.rest()
      },
    }
  }),
  {
    fault: 9,
    name: 'back in health',
    outcome: 'one probe at a time; its answer closes the breaker',
    routes: { 'f9.recovering': [recovering, { says: 'whole' }] },
    async play(stage) {
      const model = 'f9.recovering'
      const id = deploymentId(model, 0, recovering)
      for (let call = 0; call < 5; call++) await stage.ask({ model })
      assert.equal((await stage.deployment(id)).breaker, 'open')
      while ((await stage.deployment(id)).breaker !== 'closed') {
        const together = Array.from({ length: 4 }, () => stage.ask({ model }))
        for (const heard of await Promise.all(together)) see(heard, 'whole', 'text', false)
        await setTimeout(pollMs)
      }
      assert.equal((await stage.deployment(id)).failed, 5)
      await stage.rest()
    },
  },
  {
    fault: 9,
    name: 'everywhere, and fifty concurrent calls',
    outcome: 'each gets a 503; retries stay within a fifth of what is asked',
    routes: { 'f9.storm': [{ ...sick, retries: 2 }] },
    async play(stage) {
      const calls = Array.from({ length: 50 }, () => stage.ask({ model: 'f9.storm' }))
      const unanswered = { status: 503, code: 'server_is_overloaded' }
      for (const heard of await Promise.all(calls)) see(heard, unanswered, 'text', false)
      const hits = stage.upstream.hits('status-503/f9.storm.0')
      assert(hits >= 50 && hits - 50 <= Math.ceil(hits / 5), `${hits} hits for 50 calls`)
      await stage.rest()
    },
  },
  ...(
    [
      ['milliseconds', 'limited-ms'],
      ['a second', 'limited-second'],
      ['a date', 'limited-date'],
      ['a date gone by', 'limited-past'],
      ['what is no time', 'limited-garbage'],
    ] as const
  ).map(([name, says]) =>
    asked({
      fault: 10,
      name: `to come back after ${name}`,
      chain: [`${says},whole`],
      kinds: ['text'],
      forms: ['whole'],
      sees: 'whole',
      outcome:
        name.includes('no') || name.includes('gone') ? 'asked again after our own wait' : 'asked again then',
      hits: [2],
      attempts: ['rate_limited', 'ok'],
    }),
  ),
  asked({
    fault: 10,
    name: 'to come back in an hour',
    chain: ['limited-hour'],
    sees: { status: 429, code: 'rate_limit_exceeded' },
    outcome: '429 at once, the Retry-After passed on, and SDKs do not wait for it',
    attempts: ['rate_limited'],
    also({ heard }) {
      assert.equal(heard.headers['retry-after'], '3600')
      assert.equal(heard.headers['x-should-retry'], 'false')
    },
  }),
  asked({
    fault: 10,
    name: 'to come back in an hour, with another deployment',
    chain: ['limited-hour', 'whole'],
    sees: 'whole',
    outcome: 'the next deployment answers, at once; the breaker does not move',
    attempts: ['rate_limited', 'ok'],
    async also({ stage, deployments: [limited = ''] }) {
      assert.equal((await stage.deployment(limited)).breaker, 'closed')
    },
  }),
  ...[401, 402, 403].flatMap((status) => [
    asked({
      fault: 11,
      name: `status ${status}, and nowhere else to go`,
      chain: [`status-${status}`],
      sees: { status: 502, code: 'upstream_auth_error' },
      outcome: '502 without a word of the upstream; asked once; the log says which setting',
      attempts: ['upstream_auth'],
      also({ row }) {
        assert.match(row.failure?.operatorNote ?? '', /apiKey/)
      },
    }),
    asked({
      fault: 11,
      name: `status ${status}, with another deployment`,
      chain: [`status-${status}`, 'whole'],
      sees: 'whole',
      outcome: 'the next deployment answers; the breaker does not move',
      attempts: ['upstream_auth', 'ok'],
    }),
  ]),
  asked({
    fault: 11,
    name: 'not our key but the prompt: too long, with a twin',
    chain: ['too-long', 'whole'],
    sees: { status: 400, code: 'context_length_exceeded' },
    outcome: '400 `context_length_exceeded`; the twin is not asked',
    hits: [1, 0],
    attempts: ['context_length'],
  }),
  asked({
    fault: 11,
    name: 'not our key but the prompt: too long, with a deployment that holds more',
    chain: [
      { says: 'too-long', more: { contextTokens: 1000 } },
      { says: 'whole', more: { contextTokens: 100_000 } },
    ],
    sees: 'whole',
    outcome: 'that one answers',
    attempts: ['context_length', 'ok'],
  }),
  asked({
    fault: 11,
    name: 'not our key but the prompt: filtered, with a twin',
    chain: ['filtered', 'whole'],
    sees: { status: 400, code: 'content_filter' },
    outcome: '400 `content_filter`; the twin is not asked',
    hits: [1, 0],
    attempts: ['content_filtered'],
  }),
]

/** A breaker opens for seconds: there is no hurry. */
const pollMs = 50
