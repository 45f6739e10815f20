import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Failure } from '../../../src/core/model/failure.ts'
import { type Price, unknownPrice } from '../../../src/core/model/price.ts'
import { upstreamNamed } from '../../harness/core/attempt-walk.ts'
import { serve } from '../../harness/core/core-gateway.ts'
import {
  aCall,
  act,
  burst,
  bursts,
  chatChunk,
  chatReply,
  fail,
  readAll,
  textChunk,
  usage,
  usageChunk,
} from '../../harness/scripted-upstream.ts'

beforeEach(() => {
  vi.useFakeTimers({ now: 1_700_000_000_000 })
})
afterEach(() => {
  vi.useRealTimers()
})

const chat = aCall({ kind: 'chat' })
const answer = { ...chatReply({ content: 'Hi' }), usage: usage(1000, 100) }
const prices = { dear: dollars(2, 4), cheap: dollars(1, 2) }

test('a call costs its usage, compared with the first deployment', async () => {
  const dear = upstreamNamed('dear', [fail(new Failure('overloaded', 'Busy.'))])
  const { reply, record, row } = serve([dear, upstreamNamed('cheap', bursts(answer))], {}, prices)
  await reply(chat)
  expect(row).toMatchObject({
    costNanoUsd: 1_200_000,
    costEstimated: false,
    baseline: { deployment: 'm@dear', price: prices.dear },
    baselineNanoUsd: 2_400_000,
    savedNanoUsd: 1_200_000,
  })
  expect(row.attempts).toMatchObject([
    { outcome: 'overloaded', costNanoUsd: 0, isDelivered: false },
    { outcome: 'ok', costNanoUsd: 1_200_000, isDelivered: true, isEstimated: false },
  ])
  record[Symbol.dispose]()
  expect(row.costNanoUsd).toBe(1_200_000)
})

test('the usage of a failed attempt is paid for too', async () => {
  const broken = { ...chatChunk({ content: 'Hi' }), usage: usage(1000, 1) }
  const script = [burst(broken), fail(new Failure('interrupted', 'Cut.'))]
  const { reply, row } = serve(
    [upstreamNamed('dear', script), upstreamNamed('cheap', bursts(answer))],
    {},
    prices,
  )
  await reply(chat)
  expect(row.attempts.map(({ costNanoUsd }) => costNanoUsd)).toEqual([2_004_000, 1_200_000])
  expect(row).toMatchObject({ costNanoUsd: 3_204_000, baselineNanoUsd: 2_400_000, savedNanoUsd: -804_000 })
})

test('an unknown price makes the cost unknown, never zero', async () => {
  const { reply, row } = serve([upstreamNamed('unpriced', bursts(answer))])
  await reply(chat)
  expect(row).toMatchObject({ costNanoUsd: undefined, baselineNanoUsd: undefined, savedNanoUsd: undefined })
})

test('usage that was counted here is an estimate, and so is its cost', async () => {
  const { reply, row } = serve([upstreamNamed('cheap', bursts(textChunk('Hello', 'stop')))], {}, prices)
  await reply(aCall())
  expect(row.usageEstimated).toBe(true)
  const { prompt_tokens: promptTokens = 0, completion_tokens: completionTokens = 0 } = row.usage ?? {}
  expect(row).toMatchObject({
    costNanoUsd: promptTokens * 1000 + completionTokens * 2000,
    costEstimated: true,
  })
})

describe('a stream that does not reach its end', () => {
  test('is paid for as far as it got', async () => {
    const script = [
      burst(chatChunk({ content: 'word '.repeat(100) })),
      fail(new Failure('interrupted', 'Cut.')),
    ]
    const { stream, record, row } = serve([upstreamNamed('cheap', script)], {}, prices)
    const { bursts: opened } = await stream(aCall({ kind: 'chat', stream: true }))
    await expect(readAll(opened)).rejects.toMatchObject({ kind: 'interrupted' })
    record[Symbol.dispose]()
    expect(row.costEstimated).toBe(true)
    expect(row.costNanoUsd).toBeGreaterThan(100 * 2000)
  })

  test('is settled by the upstream’s report, if any; there may be more', async () => {
    const script = [
      burst(chatChunk({ content: 'Hi' })),
      burst(usageChunk(10, 20)),
      fail(new Failure('interrupted', 'Cut.')),
    ]
    const { stream, record, row } = serve([upstreamNamed('cheap', script)], {}, prices)
    const { bursts: opened } = await stream(aCall({ kind: 'chat', stream: true }))
    await expect(readAll(opened)).rejects.toMatchObject({ kind: 'interrupted' })
    record[Symbol.dispose]()
    expect(row).toMatchObject({ costNanoUsd: 10 * 1000 + 20 * 2000, costEstimated: true })
  })
})

describe('billing by time', () => {
  const perSecond = { gpu: { ...unknownPrice, nanoUsdPerSecond: 310_000 } }

  test('uses the time that the upstream reports', async () => {
    const script = [act(({ notes }) => Object.assign(notes, { billedMs: 2500 })), burst(answer)]
    const { reply, row } = serve([upstreamNamed('gpu', script)], {}, perSecond)
    await reply(chat)
    expect(row).toMatchObject({ costNanoUsd: 775_000, costEstimated: false, savedNanoUsd: 0 })
  })

  test('is estimated if the upstream reports none', async () => {
    const script = [
      act(() => {
        vi.advanceTimersByTime(1000)
      }),
      burst(answer),
    ]
    const { reply, row } = serve([upstreamNamed('gpu', script)], {}, perSecond)
    await reply(chat)
    expect(row).toMatchObject({ costNanoUsd: 310_000, costEstimated: true })
  })
})

test('every part of a call that was split is paid for', async () => {
  const upstream = {
    ...upstreamNamed('cheap', bursts({ ...textChunk('Hi', 'stop'), usage: usage(1000, 100) })),
  }
  const { reply, row } = serve([{ ...upstream, oneChoice: { text: true, chat: false } }], {}, prices)
  await reply(aCall({ body: { model: 'some-model', prompt: ['a', 'b'], n: 2 } }))
  expect(row.attempts.map(({ costNanoUsd }) => costNanoUsd)).toEqual(Array(4).fill(1_200_000))
  expect(row.costNanoUsd).toBe(4_800_000)
})

/** USD per million tokens, in and out. */
function dollars(input: number, output: number): Price {
  return { ...unknownPrice, inputNanoUsdPerMillion: input * 1e9, outputNanoUsdPerMillion: output * 1e9 }
}
