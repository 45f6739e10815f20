import OpenAI from 'openai'
import { describe, expect, test } from 'vitest'
import { answer, chunk, lastChunk, streamHead } from '../../../harness/raw-server.ts'
import { deltaFrame, endFrames, leave, messages, openScene, respond, usage } from './keyed-answer-harness.ts'

describe('the same call under the same key', () => {
  test.for([false, true])('is made once, and gets the same bytes: stream %s', async (stream) => {
    await using scene = await openScene(respond)
    const first = await scene.ask({ stream })
    const second = await scene.ask({ stream })
    expect(scene.upstream.requests).toHaveLength(1)
    expect(second.text).toBe(first.text)
    expect(second.text).toContain(stream ? 'data: [DONE]' : '"content":"one two"')
    expect([first.status, second.status]).toEqual([200, 200])
    expect(second.headers.get('content-type')).toBe(first.headers.get('content-type'))
    expect(first.headers.get('idempotent-replayed')).toBeNull()
    expect(first.headers.get('x-pandotate-cache')).toBeNull()
    expect(Object.fromEntries(second.headers)).toMatchObject({
      'idempotent-replayed': 'true',
      'x-pandotate-cache': 'replay',
      'x-pandotate-cost-usd': '0.000000000',
      'x-pandotate-deployment': 'm@up',
    })
    expect(second.headers.get('x-request-id')).not.toBe(first.headers.get('x-request-id'))
    await scene.gateway.recorded(2)
    const [made, replayed] = scene.gateway.records
    expect(made).toMatchObject({ cache: undefined, costNanoUsd: 7_000, usage })
    expect(replayed).toMatchObject({ cache: 'replay', costNanoUsd: 0, usage, status: 200, outcome: 'ok' })
    expect(replayed?.savedNanoUsd).toBeUndefined()
  })

  test.for([
    ['/v1/completions', { prompt: 'x' }],
    ['/inference', { prompt: 'x' }],
    ['/v1/messages', { messages, max_tokens: 5 }],
  ] as const)('is made once in every format: %s', async ([path, body]) => {
    await using scene = await openScene(respond)
    for (const stream of [false, true]) {
      const keyed = { path, key: `k-${stream}` }
      const answers = [
        await scene.ask({ ...body, stream }, keyed),
        await scene.ask({ ...body, stream }, keyed),
      ]
      expect(answers.map(({ status }) => status)).toEqual([200, 200])
      expect(answers[1]?.text).toBe(answers[0]?.text)
      expect(answers[1]?.headers.get('idempotent-replayed')).toBe('true')
    }
    expect(scene.upstream.requests).toHaveLength(2)
  })

  test('is made once for vectors too', async () => {
    const vectors = {
      object: 'list',
      data: [{ object: 'embedding', index: 0, embedding: [1] }],
      model: 'm',
      usage,
    }
    await using scene = await openScene((socket) => socket.write(answer(JSON.stringify(vectors))))
    const asked = () => scene.ask({ input: 'x' }, { path: '/v1/embeddings' })
    const [first, second] = [await asked(), await asked()]
    expect(first.status).toBe(200)
    expect(second.text).toBe(first.text)
    expect(second.headers.get('idempotent-replayed')).toBe('true')
    expect(scene.upstream.requests).toHaveLength(1)
  })

  test.for([false, true])('is made once however many ask at once: stream %s', async (stream) => {
    const gate = Promise.withResolvers<void>()
    await using scene = await openScene(async (...call) => {
      await gate.promise
      respond(...call)
    })
    const asking = Array.from({ length: 8 }, () => scene.ask({ stream }))
    await scene.upstream.arrival(1)
    gate.resolve()
    const answers = await Promise.all(asking)
    expect(new Set(answers.map((one) => one.text)).size).toBe(1)
    expect(answers.filter(({ headers }) => headers.get('idempotent-replayed') === 'true')).toHaveLength(7)
    expect(scene.upstream.requests).toHaveLength(1)
    await scene.gateway.recorded(8)
    expect(scene.gateway.records.filter(({ costNanoUsd }) => costNanoUsd === 7_000)).toHaveLength(1)
  })

  test('follows a running stream: what was sent so far, and then each piece as it comes', async () => {
    const [half, rest] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    await using scene = await openScene(async (socket) => {
      socket.write(streamHead() + chunk(deltaFrame('one')))
      half.resolve()
      await rest.promise
      socket.write(Buffer.concat([chunk(deltaFrame(' two') + endFrames), Buffer.from(lastChunk)]))
    })
    const first = await scene.open({ stream: true })
    await half.promise
    const second = await scene.open({ stream: true })
    const reader = second.body?.pipeThrough(new TextDecoderStream()).getReader()
    const seen = await reader?.read()
    expect(seen?.value).toContain('"content":"one"')
    rest.resolve()
    let all = seen?.value ?? ''
    for (let next = await reader?.read(); next?.done === false; next = await reader?.read()) all += next.value
    expect(all).toBe(await first.text())
    expect(all).toContain('data: [DONE]')
    expect(scene.upstream.requests).toHaveLength(1)
  })

  test.for([false, true])('is not made again after the caller left half-way: stream %s', async (stream) => {
    const rest = Promise.withResolvers<void>()
    await using scene = await openScene(async (socket, request) => {
      if (stream) socket.write(streamHead() + chunk(deltaFrame('one')))
      await rest.promise
      if (stream) socket.write(Buffer.concat([chunk(deltaFrame(' two') + endFrames), Buffer.from(lastChunk)]))
      else respond(socket, request)
    })
    await leave(scene, { stream })
    rest.resolve()
    const left = await scene.gateway.recorded()
    expect(left).toMatchObject({ outcome: 'left', costNanoUsd: 7_000, usage })
    expect(left.attempts).toMatchObject([{ outcome: 'ok' }])
    const again = await scene.ask({ stream })
    expect(again.headers.get('idempotent-replayed')).toBe('true')
    expect(again.text).toContain(stream ? 'data: [DONE]' : '"content":"one two"')
    expect(scene.upstream.requests).toHaveLength(1)
    expect(await scene.gateway.recorded(2)).toMatchObject({ costNanoUsd: 0, cache: 'replay' })
  })

  test('is not made again by an SDK that lost its connection and tries once more', async () => {
    const rest = Promise.withResolvers<void>()
    await using scene = await openScene(async (...call) => {
      await rest.promise
      respond(...call)
    })
    const keys: (string | null)[] = []
    const client = new Keyed({
      baseURL: `${scene.gateway.url}/v1`,
      apiKey: 'none',
      maxRetries: 1,
      async fetch(url, init) {
        keys.push(new Headers(init?.headers).get('idempotency-key'))
        if (keys.length > 1) {
          rest.resolve()
          return await fetch(url, init)
        }
        const lost = new AbortController()
        const asking = fetch(url, { ...init, signal: lost.signal })
        await scene.upstream.arrival(1)
        lost.abort()
        await asking.catch(() => undefined)
        throw new TypeError('The connection was lost.')
      },
    })
    const { choices } = await client.chat.completions.create({ model: 'm', messages })
    expect(choices[0]?.message.content).toBe('one two')
    expect(keys).toHaveLength(2)
    expect(keys[0]).toMatch(/^stainless-node-retry-/)
    expect(keys[1]).toBe(keys[0])
    expect(scene.upstream.requests).toHaveLength(1)
  })

  test('is replayed to the SDK as a stream of chunks', async () => {
    await using scene = await openScene(respond)
    const client = new OpenAI({ baseURL: `${scene.gateway.url}/v1`, apiKey: 'none', maxRetries: 0 })
    const read = async () => {
      const headers = { 'Idempotency-Key': 'one' }
      const stream = await client.chat.completions.create({ model: 'm', messages, stream: true }, { headers })
      return await Array.fromAsync(stream)
    }
    const first = await read()
    expect(await read()).toEqual(first)
    expect(first.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe('one two')
    expect(scene.upstream.requests).toHaveLength(1)
  })

  test('is waited for no longer than its caller says', async () => {
    await using scene = await openScene(() => undefined)
    const leaving = new AbortController()
    const first = scene.ask({}, { signal: leaving.signal })
    await scene.upstream.arrival(1)
    const second = await scene.ask({}, { headers: { 'x-pandotate-timeout-ms': '1' } })
    expect([second.status, JSON.parse(second.text).error.code]).toEqual([504, 'upstream_timeout'])
    leaving.abort()
    await expect(first).rejects.toThrow()
  })
})

/** An SDK that sends keys of its own making, the same one with each try. */
class Keyed extends OpenAI {
  protected override idempotencyHeader = 'Idempotency-Key'
}
