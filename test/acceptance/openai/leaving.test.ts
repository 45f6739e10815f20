import type OpenAI from 'openai'
import { APIUserAbortError } from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { LogLine } from '../gateway-process.ts'
import { type Answer, type HeldUpstream, startHeldUpstream } from '../held-upstream.ts'
import { createClient, type Stack, startAlone, startBefore, startStack } from '../stack.ts'

describe('a client that leaves while it waits', () => {
  type Case = {
    readonly name: string
    readonly asked: (client: OpenAI, signal: AbortSignal) => Promise<unknown>
    readonly upstreamCalls: number
  }
  const messages = [{ role: 'user' as const, content: 'hello' }]
  const cases: readonly Case[] = [
    {
      name: 'for a completion',
      asked: (client, signal) => client.completions.create({ model: 'm', prompt: 'x' }, { signal }),
      upstreamCalls: 1,
    },
    {
      name: 'for the first word of a stream',
      asked: (client, signal) =>
        client.chat.completions.create({ model: 'm', messages, stream: true }, { signal }),
      upstreamCalls: 1,
    },
    {
      name: 'for several prompts',
      asked: (client, signal) =>
        client.completions.create({ model: 'm', prompt: ['a', 'b', 'c'], n: 2 }, { signal }),
      upstreamCalls: 6,
    },
  ]

  let upstream: HeldUpstream
  let stack: Stack
  beforeAll(async () => {
    upstream = await startHeldUpstream()
    stack = await startBefore(upstream.url)
  })
  afterAll(async () => {
    await stack[Symbol.asyncDispose]()
    await upstream[Symbol.asyncDispose]()
  })

  test.for(cases)('$name aborts every upstream call at once', async ({ asked, upstreamCalls }) => {
    const earlier = { requests: upstream.requests.length, calls: callsOf(stack).length }
    const leaving = new AbortController()
    const answer = asked(createClient(stack), leaving.signal)
    const refused = expect(answer).rejects.toThrow(APIUserAbortError)
    await upstream.arrived(earlier.requests + upstreamCalls)
    leaving.abort()
    await refused
    await upstream.left(earlier.requests + upstreamCalls)
    await stack.gateway.line(() => callsOf(stack).length > earlier.calls)
    const line = callsOf(stack)[earlier.calls]
    expect(line).toMatchObject({ outcome: 'left', status: 499 })
    expect(line?.['attempts']).toHaveLength(upstreamCalls)
    expect(upstream.requests).toHaveLength(earlier.requests + upstreamCalls)
  })

  test('for another try is not tried for again', async () => {
    // So long a wait that the test would time out if it were sat through.
    const refuse: Answer = (response) =>
      response.writeHead(503, { 'retry-after': '50', 'content-type': 'application/json' }).end('{}')
    await using busy = await startHeldUpstream(refuse)
    await using stack = await startBefore(busy.url)
    const leaving = new AbortController()
    const client = createClient(stack)
    const answer = client.completions.create({ model: 'm', prompt: 'x' }, { signal: leaving.signal })
    const refused = expect(answer).rejects.toThrow(APIUserAbortError)
    await busy.arrived(1)
    leaving.abort()
    await refused
    const line = await stack.gateway.line(({ msg }) => msg === 'call')
    expect(line).toMatchObject({ outcome: 'left' })
    expect(busy.requests).toHaveLength(1)
  })
})

describe('a client that leaves in the middle of a stream', () => {
  let stack: Stack
  beforeAll(async () => {
    stack = await startAlone()
  })
  afterAll(() => stack[Symbol.asyncDispose]())

  // Without end, as far as a test can see.
  const model = 'sim-long-100000-drip-20'

  test.for([
    [
      'by aborting',
      async (client: OpenAI) => {
        const stream = await client.completions.create({ model, prompt: 'x', stream: true })
        for await (const _chunk of stream) stream.controller.abort()
      },
    ],
    [
      'by breaking out of its loop',
      async (client: OpenAI) => {
        const messages = [{ role: 'user' as const, content: 'x' }]
        const stream = await client.chat.completions.create({ model, messages, stream: true })
        for await (const _chunk of stream) break
      },
    ],
    [
      'with several answers under way',
      async (client: OpenAI) => {
        const stream = await client.completions.create({ model, prompt: ['x', 'y'], n: 2, stream: true })
        for await (const _chunk of stream) break
      },
    ],
  ] as const)('%s ends the call', async ([, leave]) => {
    await leave(createClient(stack))
    const line = await stack.gateway.record(stack.witness.seen.at(-1)?.requestId)
    expect(line).toMatchObject({ outcome: 'left', status: 499 })
    expect(line.attempts.every(({ outcome }) => outcome === 'caller_left')).toBe(true)
  })
})

test('those who leave do no harm to those who stay', async () => {
  await using stack = await startStack()
  const client = createClient(stack)
  const leaving = new AbortController()
  const left = Array.from({ length: 20 }, () =>
    client.completions
      .create({ model: 'sim-slow-60000', prompt: 'x' }, { signal: leaving.signal })
      .catch((error: unknown) => error),
  )
  const stayed = Array.from({ length: 20 }, (_, at) =>
    client.completions.create({ model: 'sim-slow-100-echo', prompt: `stays ${at}` }),
  )
  leaving.abort()
  expect((await Promise.all(left)).every((thrown) => thrown instanceof APIUserAbortError)).toBe(true)
  const texts = (await Promise.all(stayed)).map(({ choices }) => choices[0]?.text)
  expect(texts).toEqual(Array.from({ length: 20 }, (_, at) => `stays ${at}`))
})

function callsOf({ gateway }: Stack): readonly LogLine[] {
  return gateway.log().filter(({ msg }) => msg === 'call')
}
