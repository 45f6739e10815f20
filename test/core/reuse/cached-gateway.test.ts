import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createRecorder } from '../../../src/core/account/recorder.ts'
import type { Gateway } from '../../../src/core/gateway.ts'
import type { Call } from '../../../src/core/model/call.ts'
import { Failure } from '../../../src/core/model/failure.ts'
import { type Price, unknownPrice } from '../../../src/core/model/price.ts'
import type { CallRecord } from '../../../src/core/model/record/record.ts'
import { cachedGateway, type SharedWork } from '../../../src/core/reuse/cached-gateway.ts'
import { createCoalescer } from '../../../src/core/reuse/coalesce.ts'
import { createResponseCache } from '../../../src/core/reuse/response-cache.ts'
import { aCaller, upstreamNamed } from '../../harness/core/attempt-walk.ts'
import { serve } from '../../harness/core/core-gateway.ts'
import { bodyOf, type CallChange } from '../../harness/core/json-text.ts'
import {
  aCall,
  burst,
  bursts,
  chatChunk,
  chatReply,
  fail,
  pause,
  readAll,
  type Script,
  textOf,
  timersClock,
  usage,
  usageChunk,
} from '../../harness/scripted-upstream.ts'

beforeEach(() => {
  vi.useFakeTimers({ now: 1_700_000_000_000 })
})
afterEach(() => {
  vi.useRealTimers()
})

const body = { model: 'some-model', messages: [{ role: 'user', content: 'Hi.' }], temperature: 0 }
const chat = aCall({ kind: 'chat', body })
const price: Price = { ...unknownPrice, inputNanoUsdPerMillion: 1e9, outputNanoUsdPerMillion: 2e9 }
const answer = { ...chatReply({ content: 'Hello' }), usage: usage(1000, 100) }

describe('a cached answer', () => {
  test('is reused, as a whole or as a stream, and costs nothing', async () => {
    const { upstream, ask } = reusing(bursts(answer), { isKept: true })
    const first = await ask(chat)
    const second = await ask(chat)
    const streamed = await ask(aCall({ ...chat, stream: true, body: { ...body, stream: true } }))
    expect(upstream.calls).toHaveLength(1)
    expect(second.text).toBe(first.text)
    expect(streamed.text).toBe('Hello')
    expect(first.row).toMatchObject({ cache: undefined, costNanoUsd: 1_200_000, savedNanoUsd: 0 })
    const free = { cache: 'hit', costNanoUsd: 0, baselineNanoUsd: 1_200_000, savedNanoUsd: 1_200_000 }
    expect(second.row).toMatchObject({ ...free, deployment: 'm@a', usage: usage(1000, 100) })
    expect(streamed.row).toMatchObject({ ...free, stream: true })
  })

  test('may come from a stream that has ended', async () => {
    const stream = aCall({ ...chat, stream: true, body: { ...body, stream: true } })
    const whole = [
      burst(chatChunk({ content: 'Hel' })),
      burst(chatChunk({ content: 'lo' }, 'stop'), usageChunk(9, 2)),
    ]
    const { upstream, ask } = reusing(whole, { isKept: true })
    expect((await ask(stream)).text).toBe('Hello')
    expect((await ask(chat)).text).toBe('Hello')
    expect((await ask(stream)).text).toBe('Hello')
    expect(upstream.calls).toHaveLength(1)
  })

  test('is neither a failure nor a broken stream', async () => {
    const broken = [burst(chatChunk({ content: 'Hel' })), fail(new Failure('interrupted', 'Cut.'))]
    const { upstream, ask } = reusing(broken, { isKept: true })
    const stream = aCall({ ...chat, stream: true })
    await expect(ask(stream)).rejects.toMatchObject({ kind: 'interrupted' })
    await expect(ask(stream)).rejects.toMatchObject({ kind: 'interrupted' })
    expect(upstream.calls).toHaveLength(2)
  })

  test.for<[string, CallChange, string | undefined]>([
    ['another prompt', { body: { ...body, messages: [] } }, undefined],
    ['a call that may get another answer', { body: { ...body, temperature: 1 } }, undefined],
    ['another tenant', {}, 'somebody else'],
  ])('is not reused for %s', async ([, change, tenant]) => {
    const { upstream, ask } = reusing(bursts(answer), { isKept: true })
    await ask(chat)
    const { body: other = chat.body, ...rest } = change
    await ask({ ...chat, ...rest, body: bodyOf(other, undefined) }, tenant)
    expect(upstream.calls).toHaveLength(2)
  })
})

describe('identical concurrent calls', () => {
  const slow = [pause(50), ...bursts(answer)]

  test('are executed once, and paid for once', async () => {
    const { upstream, ask } = reusing(slow, { isShared: true })
    const asked = [ask(chat), ask(chat), ask(chat)]
    await vi.advanceTimersByTimeAsync(50)
    const told = await Promise.all(asked)
    expect(upstream.calls).toHaveLength(1)
    expect(new Set(told.map(({ text }) => text)).size).toBe(1)
    expect(told.map(({ row }) => row.cache)).toEqual([undefined, 'coalesced', 'coalesced'])
    expect(told.map(({ row }) => row.costNanoUsd)).toEqual([1_200_000, 0, 0])
    expect(told.map(({ row }) => row.savedNanoUsd)).toEqual([0, 1_200_000, 1_200_000])
    await Promise.all([ask(chat), vi.advanceTimersByTimeAsync(50)])
    expect(upstream.calls).toHaveLength(2)
  })

  test('share a failure', async () => {
    const failing = [pause(50), fail(new Failure('rejected', 'No.'))]
    const { upstream, ask } = reusing(failing, { isShared: true })
    const asked = Promise.allSettled([ask(chat), ask(chat)])
    await vi.advanceTimersByTimeAsync(50)
    for (const { status } of await asked) expect(status).toBe('rejected')
    expect(upstream.calls).toHaveLength(1)
  })

  test('continue when the first caller leaves, and are paid for by a remaining one', async () => {
    const { upstream, ask, caller } = reusing(slow, { isShared: true })
    const leaver = caller()
    const left = ask(chat, undefined, leaver)
    const stayed = ask(chat)
    await vi.advanceTimersByTimeAsync(10)
    leaver.leave()
    await expect(left).rejects.toBe(leaver.reason)
    await vi.advanceTimersByTimeAsync(50)
    expect((await stayed).row).toMatchObject({ cache: undefined, costNanoUsd: 1_200_000 })
    expect(upstream.calls).toHaveLength(1)
  })

  test('with their own deadlines are executed separately', async () => {
    const { upstream, ask } = reusing(slow, { isShared: true })
    const hurried = { ...chat, deadlineMs: 1000 }
    const asked = Promise.all([ask(hurried), ask(hurried)])
    await vi.advanceTimersByTimeAsync(50)
    await asked
    expect(upstream.calls).toHaveLength(2)
  })
})

type Told = { readonly text: string; readonly row: CallRecord }

function reusing(script: Script, { isKept = false, isShared = false }) {
  const upstream = upstreamNamed('a', script)
  const { gateway } = serve([upstream], {}, { a: price })
  const recorder = createRecorder([], timersClock, 1500)
  const settings = { ttlMs: 60_000, maxEntries: 10, maxBytes: 1_000_000, everyCall: false }
  const reused: Gateway = cachedGateway(gateway, {
    cache: isKept ? createResponseCache(settings, timersClock) : undefined,
    coalescer: isShared ? createCoalescer<SharedWork>() : undefined,
    recorder,
  })
  return {
    upstream,
    caller: aCaller,
    async ask(call: Call, tenant = '', { signal } = aCaller()): Promise<Told> {
      using record = recorder.open(call.id, call.dialect)
      record.calledBy({ id: tenant, name: undefined })
      if (!call.stream) {
        const reply = await reused.reply(call, signal, record)
        return { text: textOf([reply.chunk]), row: record.row }
      }
      const stream = await reused.stream(call, signal, record)
      const deltas = await readAll(stream.bursts)
      await stream.usage()
      return { text: textOf(deltas), row: record.row }
    },
  }
}
