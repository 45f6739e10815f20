import { describe, expect, test } from 'vitest'
import { isObject } from '../../../src/core/model/json/json.ts'
import type { Provider } from '../../../src/providers/base/provider.ts'
import { baseten } from '../../../src/providers/baseten/baseten.ts'
import { openaiCompatible } from '../../../src/providers/openai/openai-compatible.ts'
import { pandotate } from '../../../src/providers/pandotate/pandotate.ts'
import { runpod } from '../../../src/providers/runpod/runpod.ts'
import { together } from '../../../src/providers/together/together.ts'
import { simulateBaseten } from '../../../src/simulator/baseten/baseten.ts'
import { simulatePandotate } from '../../../src/simulator/pandotate/pandotate.ts'
import { simulateRunpod } from '../../../src/simulator/runpod/runpod.ts'
import { simulateTogether } from '../../../src/simulator/together/together.ts'
import { call, tell } from '../../harness/core/simulated-call.ts'
import { cutAfter, startCutter, uncut } from '../../harness/cutter.ts'
import { ask, startGatewayAt } from '../../harness/gateway-over.ts'
import { tools } from '../../harness/tools.ts'

/** For a machine that does much else. */
const timeout = 240_000

/** Calls at once: each waits for its sockets most of the time. */
const atOnce = 24

/** The bytes next to the end, where an answer may look whole, and every so many of those before. */
const allOfLast = 64
const step = 7

async function forEachCut(length: number, check: (bytes: number) => Promise<void>): Promise<void> {
  const cuts = Array.from({ length }, (_, bytes) => bytes).filter(
    (bytes) => bytes >= length - allOfLast || bytes % step === 0,
  )
  for (let at = 0; at < cuts.length; at += atOnce) {
    await Promise.all(cuts.slice(at, at + atOnce).map(check))
  }
}

const local = { host: '127.0.0.1', port: 0, key: 'right-key' }

type Kind = {
  readonly name: string
  readonly start: () => Promise<AsyncDisposable & { readonly origin: string }>
  readonly provider: Provider<never>
  readonly settings: (origin: string) => object
  readonly model: string
}

const deployment = { model: 'abc123' }
const kinds: readonly Kind[] = [
  {
    name: 'OpenAI-compatible',
    start: () => simulateTogether({ ...local, models: [] }),
    provider: openaiCompatible as unknown as Provider<never>,
    settings: (origin) => ({ baseUrl: `${origin}/v1` }),
    model: 'sim-echo',
  },
  {
    name: 'Together',
    start: () => simulateTogether({ ...local, models: [] }),
    provider: together as unknown as Provider<never>,
    settings: (origin) => ({ baseUrl: `${origin}/v1` }),
    model: 'sim-echo',
  },
  {
    name: 'Baseten Model APIs',
    start: () => simulateBaseten(local),
    provider: baseten as unknown as Provider<never>,
    settings: (origin) => ({ baseUrl: `${origin}/v1` }),
    model: 'openai/sim-echo',
  },
  {
    name: 'Baseten deployment',
    start: () => simulateBaseten(local),
    provider: baseten as unknown as Provider<never>,
    settings: (origin) => ({ baseUrl: origin, deployment }),
    model: 'sim-echo',
  },
  {
    name: 'Baseten predict',
    start: () => simulateBaseten(local),
    provider: baseten as unknown as Provider<never>,
    settings: (origin) => ({ baseUrl: origin, deployment, predict: true }),
    model: 'sim-echo',
  },
  {
    name: 'RunPod OpenAI',
    start: () => simulateRunpod({ ...local, nanoUsdPerSecond: 1 }),
    provider: runpod as unknown as Provider<never>,
    settings: (origin) => ({ baseUrl: `${origin}/v2`, endpointId: 'ep1', mode: 'openai' }),
    model: 'sim-echo',
  },
  {
    name: 'RunPod jobs',
    start: () => simulateRunpod({ ...local, nanoUsdPerSecond: 1 }),
    provider: runpod as unknown as Provider<never>,
    settings: (origin) => ({ baseUrl: `${origin}/v2`, endpointId: 'ep1', mode: 'jobs' }),
    model: 'sim-echo',
  },
  {
    name: 'Pandotate',
    async start() {
      const server = await simulatePandotate(local)
      return Object.assign(server, { origin: new URL(server.url).origin })
    },
    provider: pandotate as unknown as Provider<never>,
    settings: (origin) => ({ url: `${origin}/api/inference` }),
    model: 'sim-echo',
  },
]

describe.for(kinds)('an answer of $name', ({ start, provider, settings, model, name }) => {
  // The pieces of a job's stream are asked for by its id: no two are the same request. That plain text is whole, only the
  // end of its body says, which is not told here.
  const streams = name === 'RunPod jobs' || name === 'Baseten predict' ? [false] : [false, true]
  test.for(streams)(
    'is whole, or a failure, wherever it is cut; streamed: %s',
    { timeout },
    async (stream) => {
      await using simulated = await start()
      await using cutter = await startCutter(simulated.origin)
      const given = provider.settings.parse({ ...settings(cutter.origin), apiKey: 'right-key' })
      const upstream = provider.create('up', given as never, tools)
      const asked = (bound: number) =>
        call({ model, kind: 'chat', stream, body: { messages, max_tokens: bound } })
      const whole = await tell(upstream, asked(uncut))
      expect(whole).toMatchObject({ failure: undefined, reason: 'stop' })
      expect(whole.text).toContain('one two')
      await forEachCut(cutter.longest, async (bytes) => {
        const told = await tell(upstream, asked(cutAfter(bytes)))
        if (told.failure === undefined)
          expect({ bytes, text: told.text }).toEqual({ bytes, text: whole.text })
        else expect(whole.text.startsWith(told.text)).toBe(true)
      })
      await upstream.close()
    },
  )
})

const messages = [{ role: 'user', content: 'one two' }]

type Spoken = {
  readonly path: string
  readonly body: (bound: number) => object
  /** What says that an answer is whole. */
  readonly end: RegExp
}

const dialects: readonly Spoken[] = [
  { path: '/v1/chat/completions', body: (max_tokens) => ({ messages, max_tokens }), end: /data: \[DONE\]/ },
  {
    path: '/v1/completions',
    body: (max_tokens) => ({ prompt: 'one two', max_tokens }),
    end: /data: \[DONE\]/,
  },
  {
    path: '/v1/responses',
    body: (max_output_tokens) => ({ input: 'one two', max_output_tokens }),
    end: /"type":"response\.completed"/,
  },
  { path: '/v1/messages', body: (max_tokens) => ({ messages, max_tokens }), end: /"type":"message_stop"/ },
  { path: '/inference', body: (max_tokens) => ({ prompt: 'one two', max_tokens }), end: /data: \[DONE\]/ },
]

describe.for(dialects)('an answer on $path', ({ path, body, end }) => {
  test.for([false, true])(
    'is whole, or an error, wherever it was cut; streamed: %s',
    { timeout },
    async (stream) => {
      await using simulated = await simulateTogether({ ...local, models: [] })
      await using cutter = await startCutter(simulated.origin)
      await using gateway = await startGatewayAt(cutter.origin, { apiKey: 'right-key' })
      const heard = async (bound: number) => {
        const { status, text, values } = await ask(gateway, path, {
          model: 'sim-echo',
          stream,
          ...body(bound),
        })
        const isWhole = status === 200 && (stream ? end.test(text) : true)
        return { isWhole, words: values.map(wordsIn).join(''), text }
      }
      const whole = await heard(uncut)
      expect(whole.isWhole).toBe(true)
      expect(whole.words).toContain('one two')
      await forEachCut(cutter.longest, async (bytes) => {
        const told = await heard(cutAfter(bytes))
        if (told.isWhole) expect({ bytes, words: told.words }).toEqual({ bytes, words: whole.words })
        else expect(told.text).toMatch(/error/i)
      })
    },
  )
})

/** Every text of an answer, or of an event of one, in the order it stands. */
function wordsIn(value: unknown): string {
  if (Array.isArray(value)) return value.map(wordsIn).join('')
  if (!isObject(value)) return ''
  return Object.entries(value)
    .map(([name, held]) => (wordNames.has(name) && typeof held === 'string' ? held : wordsIn(held)))
    .join('')
}

const wordNames: ReadonlySet<string> = new Set(['content', 'text', 'output', 'output_text', 'delta'])
