import { strict as assert } from 'node:assert'
import { setTimeout } from 'node:timers/promises'
import OpenAI from 'openai'
import { asked, rowOf } from '../asked-case.ts'
import type { Caller, Heard } from '../caller.ts'
import type { FaultCase } from '../fault-case.ts'
import type { Routes, Stage } from '../harness.ts'
import { gatewayKey } from '../secrets.ts'
import { see } from '../sights.ts'
import { answerWords } from '../upstream/answer.ts'
import { wordsBefore } from '../upstream/stream-faults.ts'

const hourMs = 3_600_000

/** Faults 34 to 38, and what else is about many concurrent calls. */
export const runningCases: readonly FaultCase[] = [
  ...[hourMs, -hourMs].map((ms): FaultCase => {
    const name = ms > 0 ? 'forward by an hour' : 'back by an hour'
    const routes = {
      [`f34.slow${ms}`]: [{ says: 'unhurried' }],
      [`f34.silent${ms}`]: [{ says: 'silent', clocks: { totalMs: 500 } }],
    }
    return {
      ...{ fault: 34, name, routes },
      outcome: 'clocks run as before, no duration is negative',
      async play(stage) {
        const stream = stage.call({ model: `f34.slow${ms}`, stream: true })
        const waiting = stage.call({ model: `f34.silent${ms}` })
        await heardSome([stream])
        await stage.gateway.order({ order: 'shift-clock', ms })
        see(await stream.answer, 'whole', 'text', true)
        see(await waiting.answer, { status: 504, code: 'upstream_timeout' }, 'text', false)
        for (const heard of [await stream.answer, await waiting.answer]) {
          const { totalMs, attempts } = await rowOf(stage, heard)
          for (const durationMs of [totalMs, ...attempts.map((attempt) => attempt.totalMs)]) {
            assert(durationMs >= 0 && durationMs < hourMs, `a duration of ${durationMs} ms`)
          }
        }
        await stage.gateway.order({ order: 'shift-clock', ms: -ms })
        await stage.rest()
      },
    }
  }),
  {
    fault: 35,
    name: 'fifty streams and eight busy callers, with time to finish',
    outcome: 'every call that was made is answered whole; exit 0',
    routes: { 'f35.stream': [{ says: 'unhurried' }], 'f35.short': [{ says: 'whole' }] },
    settings: {},
    async play(stage) {
      const streams = Array.from({ length: 50 }, () => stage.call({ model: 'f35.stream', stream: true }))
      let isOver = false
      const answers: Heard[] = []
      const asking = async () => {
        while (!isOver) answers.push(await stage.ask({ model: 'f35.short' }))
      }
      const callers = Array.from({ length: 8 }, asking)
      await heardSome(streams)
      // No new calls from now on; the delay is for calls in flight.
      isOver = true
      await stage.gateway.order({ order: 'stop', delayMs: 300, graceMs: 20_000 })
      await Promise.all(callers)
      for (const heard of answers) see(heard, 'whole', 'text', false)
      for (const { answer } of streams) see(await answer, 'whole', 'text', true)
      assert.equal(await stage.gateway.ended, 0)
      stage.keepsSecrets()
    },
  },
  ...(['at the deadline', 'hurried'] as const).map(
    (name): FaultCase => ({
      fault: 35,
      name: `ten streams without end, ${name}`,
      outcome: 'what was said, one error in the stream, no `[DONE]`; the upstreams are given up; exit 0',
      routes: { 'f35.endless': [{ says: 'stall-after' }] },
      settings: {},
      async play(stage) {
        const streams = Array.from({ length: 10 }, () => stage.call({ model: 'f35.endless', stream: true }))
        await heardSome(streams)
        const graceMs = name === 'hurried' ? hourMs : 200
        await stage.gateway.order({ order: 'stop', delayMs: 0, graceMs })
        if (name === 'hurried') await stage.gateway.order({ order: 'hurry' })
        for (const { answer } of streams) {
          see(await answer, { words: wordsBefore, code: 'gateway_draining' }, 'text', true)
        }
        await stage.upstream.until(() => stage.upstream.abandoned('stall-after/f35.endless.0') === 10)
        assert.equal(await stage.gateway.ended, 0)
        stage.keepsSecrets()
      },
    }),
  ),
  {
    fault: 36,
    name: 'again and again, with wrong files between, while streams run on what is no more',
    outcome: 'no call fails; each finishes where it began; a wrong file changes nothing, and shows',
    routes: reloadRoutes('first'),
    settings: {},
    async play(stage) {
      const times = stage.isLong ? 100 : 10
      const streams: Caller[] = []
      for (let turn = 0; turn < times; turn++) {
        streams.push(stage.call({ model: 'f36.stream', stream: true }))
        see(await stage.ask({ model: 'f36.short' }), 'whole', 'text', false)
        await stage.reload(reloadRoutes(turn % 2 === 0 ? 'second' : 'first'))
        await stage.reload(reloadRoutes('third'), { limits: { fanOut: -1 } })
      }
      for (const { answer } of streams) see(await answer, 'whole', 'text', true)
      assert.equal(await stage.metric('pandotate_config_reloads_total'), times)
      assert.equal(await stage.metric('pandotate_config_reload_failures_total'), times)
      await stage.rest()
    },
  },
  {
    fault: 37,
    name: 'as many calls under way as there may be',
    outcome: 'the next gets 503 and a Retry-After; those under way are left alone; /livez is 200',
    routes: { 'f37.live': [{ says: 'unhurried' }], 'f37.short': [{ says: 'whole' }] },
    settings: { limits: { inFlight: 3 } },
    async play(stage) {
      const streams = Array.from({ length: 3 }, () => stage.call({ model: 'f37.live', stream: true }))
      await heardSome(streams)
      await seeShed(stage, 'f37.short')
      for (const { answer } of streams) see(await answer, 'whole', 'text', true)
      see(await stage.ask({ model: 'f37.short' }), 'whole', 'text', false)
      await stage.rest()
    },
  },
  {
    fault: 37,
    name: 'the event loop held up',
    outcome:
      'a live stream survives; calls beyond 32 under way get 503 and a Retry-After until it has caught up',
    routes: { 'f37.live': [{ says: 'unhurried' }], 'f37.short': [{ says: 'whole' }] },
    settings: { limits: { loopDelayMs: 20 } },
    async play(stage) {
      const stream = stage.call({ model: 'f37.live', stream: true })
      await heardSome([stream])
      for (let isShed = false; !isShed; ) {
        await stage.gateway.order({ order: 'block', ms: 800 })
        const asked = Array.from({ length: 48 }, () => stage.ask({ model: 'f37.live' }))
        isShed = (await Promise.all(asked)).some(({ status }) => status === 503)
      }
      while ((await stage.ask({ model: 'f37.short' })).status !== 200) await setTimeout(pollMs)
      see(await stream.answer, 'whole', 'text', true)
      await stage.rest()
    },
  },
  {
    fault: 37,
    name: 'a heap that is nearly full',
    outcome:
      'calls beside another get 503 and a Retry-After until there is room, the only one never; /livez is 200',
    routes: { 'f37.live': [{ says: 'unhurried' }], 'f37.short': [{ says: 'whole' }] },
    settings: { limits: { heapShare: 0.03 } },
    async play(stage) {
      await stage.gateway.order({ order: 'hold', numbers: 20_000_000 })
      see(await stage.ask({ model: 'f37.short' }), 'whole', 'text', false)
      const stream = stage.call({ model: 'f37.live', stream: true })
      await heardSome([stream])
      while ((await stage.ask({ model: 'f37.short' })).status !== 503) await setTimeout(pollMs)
      await seeShed(stage, 'f37.short')
      see(await stream.answer, 'whole', 'text', true)
      await stage.gateway.order({ order: 'hold', numbers: 0 })
      await stage.gateway.order({ order: 'measure' })
      while ((await stage.ask({ model: 'f37.short' })).status !== 200) await setTimeout(pollMs)
      await stage.rest()
    },
  },
  {
    fault: 38,
    name: 'fifty clients with an SDK that tries three times, before an upstream that fails after it worked',
    outcome: 'one request for each and a fifth more, not nine: `x-should-retry: false`',
    routes: { 'f38.storm': [{ says: 'status-500' }] },
    async play(stage) {
      const options = {
        baseURL: `${stage.gateway.url}/v1`,
        apiKey: gatewayKey,
        maxRetries: 2,
        defaultHeaders: { connection: 'close' },
      }
      const client = new OpenAI(options)
      const calls = Array.from({ length: 50 }, () =>
        client.completions.create({ model: 'f38.storm', prompt: 'x' }).catch((error: unknown) => error),
      )
      for (const error of await Promise.all(calls)) assert(error instanceof OpenAI.APIError)
      const hits = stage.upstream.hits('status-500/f38.storm.0')
      assert(hits - 50 <= Math.ceil(hits / 5), `${hits} hits for 50 calls`)
      await stage.rest()
    },
  },
  {
    fault: 38,
    name: 'the same call, sent again and again under its Idempotency-Key',
    outcome: 'made once, and answered to all; another body under that key is refused',
    routes: { 'f38.once': [{ says: 'unhurried' }] },
    async play(stage) {
      const headers = { 'idempotency-key': 'one-of-the-chaos-suite' }
      for (const stream of [true, false]) {
        const own = { 'idempotency-key': `${headers['idempotency-key']}-${stream}` }
        const asking = { model: 'f38.once', stream, headers: own }
        const together = await Promise.all(Array.from({ length: 5 }, () => stage.ask(asking)))
        for (const heard of [...together, await stage.ask(asking)]) see(heard, 'whole', 'text', stream)
        const other = await stage.ask({ ...asking, body: { temperature: 1 } })
        see(other, { status: 422, code: 'idempotency_key_reused' }, 'text', stream)
      }
      assert.equal(stage.upstream.hits('unhurried/f38.once.0'), 2)
      await stage.rest()
    },
  },
  asked({
    fault: 14,
    name: 'long enough for the caller to wonder, with another deployment',
    chain: [{ says: 'role-then-silence', clocks: { firstTokenMs: 300 } }, 'whole'],
    forms: ['stream'],
    sees: 'whole',
    outcome: 'comments keep the connection alive; the next deployment still answers',
    attempts: ['timeout', 'ok'],
    settings: { limits: { keepaliveMs: 50 } },
    also({ heard }) {
      assert.match(heard.body, /^: keepalive\n\n/)
    },
  }),
  asked({
    fault: 14,
    name: 'long enough for the caller to wonder, and nowhere else to go',
    chain: [{ says: 'role-then-silence', clocks: { firstTokenMs: 300 } }],
    forms: ['stream'],
    sees: { words: 0, code: 'upstream_timeout' },
    outcome: 'comments, then one error in the stream, no `[DONE]`',
    attempts: ['timeout'],
    settings: { limits: { keepaliveMs: 50 } },
  }),
  {
    fault: 14,
    name: 'longer than nearly all before, where calls are hedged',
    outcome:
      'another deployment is asked beside it and answers; the first is given up, and both are in the record',
    routes: {
      'f14.hedged': [
        { says: 'whole*40,role-then-silence', clocks: { firstTokenMs: 2000 } },
        { says: 'whole' },
      ],
    },
    settings: { hedging: { enabled: true, share: 1 } },
    async play(stage) {
      const asking = { model: 'f14.hedged', stream: true }
      for (let call = 0; call < 40; call++) see(await stage.ask(asking), 'whole', 'text', true)
      const heard = await stage.ask(asking)
      see(heard, 'whole', 'text', true)
      const { attempts } = await rowOf(stage, heard)
      assert.deepEqual(
        attempts.map(({ outcome }) => outcome),
        ['superseded', 'ok'],
      )
      await stage.rest()
    },
  },
]

const pollMs = 5

/** The same models, elsewhere. */
function reloadRoutes(shares: string): Routes {
  return { 'f36.stream': [{ says: 'unhurried', shares }], 'f36.short': [{ says: 'whole', shares }] }
}

/** Resolves when each of them has heard a word. */
async function heardSome(callers: readonly Caller[]): Promise<void> {
  await Promise.all(callers.map((caller) => caller.until((heard) => heard.includes(answerWords[0]))))
}

async function seeShed(stage: Stage, model: string): Promise<void> {
  const heard = await stage.ask({ model })
  see(heard, { status: 503, code: 'gateway_overloaded' }, 'text', false)
  assert(Number(heard.headers['retry-after']) > 0)
  const alive = await fetch(`${stage.gateway.url}/livez`, { headers: { connection: 'close' } })
  assert.equal(alive.status, 200)
}
