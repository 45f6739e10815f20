import { setImmediate } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { type Part, splitCall } from '../../../src/core/join/fan-out.ts'
import { type RunPartsContext, runParts } from '../../../src/core/join/run-parts.ts'
import type { Delta } from '../../../src/core/model/call.ts'
import { Failure } from '../../../src/core/model/failure.ts'
import type { JsonObject } from '../../../src/core/model/json/json.ts'
import { readUsage } from '../../../src/core/model/usage/usage.ts'
import { aCaller } from '../../harness/core/attempt-walk.ts'
import {
  aCall,
  aDeployment,
  rawDelta,
  readAll,
  scriptedUpstream,
  textChunk,
  usage,
} from '../../harness/scripted-upstream.ts'

describe('the deltas of all parts', () => {
  test('have their own index and a common identity', async () => {
    const { open } = parted({ prompt: ['p', 'q'], n: 2 }, (part) => ({
      chunks: [{ ...textChunk('a'), id: `up-${part.index}`, created: part.index }, textChunk('b', 'stop')],
    }))
    const deltas = await readAll((await open()).bursts)
    const identities = new Set(deltas.map(({ value: { id, created, model } }) => `${id} ${created} ${model}`))
    expect([...identities]).toEqual(['up-0 0 some-model'])
    expect(deltas.map(({ isWritten }) => isWritten)).toEqual(deltas.map(() => false))
    for (const index of [0, 1, 2, 3]) {
      const own = deltas
        .flatMap(({ value: chunk }) => chunk.choices)
        .filter((choice) => choice.index === index)
      expect(own.map(({ text, finish_reason: reason }) => [text, reason])).toEqual([
        ['a', null],
        ['b', 'stop'],
      ])
    }
  })

  test('are passed on as they arrive', async () => {
    const late = Promise.withResolvers<void>()
    const { open } = parted({ prompt: ['p', 'q'] }, ({ index }) => ({
      chunks: [textChunk(`${index}`, 'stop')],
      after: index === 0 ? late.promise : undefined,
    }))
    const { bursts } = await open()
    const seen: (string | undefined)[] = []
    for await (const [delta] of bursts) {
      seen.push(delta?.value.choices[0]?.text)
      late.resolve()
    }
    expect(seen).toEqual(['1', '0'])
  })
})

test('parts without text yield no deltas', async () => {
  const { open } = parted({ prompt: ['p', 'q'] }, () => ({ chunks: [] }))
  expect(await readAll((await open()).bursts)).toEqual([])
})

describe('the usage of all parts', () => {
  type Case = readonly [string, JsonObject, (part: Part) => JsonObject | undefined, JsonObject, boolean]
  const cases: readonly Case[] = [
    [
      'counts each prompt once, and every choice',
      { prompt: ['p', 'q'], n: 2 },
      ({ promptIndex, index }) => usage(10 + promptIndex, index + 1),
      usage(21, 10),
      false,
    ],
    [
      'of choices of one prompt',
      { prompt: 'p', n: 3 },
      () => ({ ...usage(7, 2), cached_tokens: 1 }),
      usage(7, 6),
      false,
    ],
    ['of prompts of one choice', { prompt: ['p', 'q'] }, () => usage(7, 2), usage(14, 4), false],
    ['that is missing is counted', { prompt: ['pp', 'q'] }, () => undefined, usage(3, 2), true],
    [
      'that is missing in one part is marked for all',
      { prompt: ['p', 'q'] },
      ({ index }) => (index === 0 ? usage(7, 2) : undefined),
      usage(8, 3),
      true,
    ],
    [
      'of which half is missing',
      { prompt: 'pp', n: 2 },
      () => ({ completion_tokens: 5 }),
      usage(2, 10),
      true,
    ],
  ]
  test.for(cases)('%s', async ([, body, usageOf, expected, estimated]) => {
    const { open } = parted(body, (part) => ({ chunks: [textChunk('t', 'stop')], usage: usageOf(part) }))
    const { bursts, usage: told } = await open()
    await readAll(bursts)
    expect(await told()).toEqual({ usage: expected, estimated })
  })
})

describe('when one part fails', () => {
  const failure = new Failure('upstream_error', 'Broken.', { provider: 'a' })

  test('before anything was shown, opening fails with it, and the others are cancelled without blame', async () => {
    const { open, signals } = parted({ prompt: ['p', 'q', 'r'] }, ({ index }) =>
      index === 1 ? { thrown: failure } : { chunks: [], after: new Promise<void>(() => undefined) },
    )
    await expect(open()).rejects.toBe(failure)
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true, true])
    expect(signals[0]?.reason).toMatchObject({ kind: 'superseded' })
  })

  test('after that, reading fails with it', async () => {
    const { open, signals } = parted({ prompt: ['p', 'q'] }, ({ index }) => ({
      chunks: [textChunk(`${index}`)],
      thrownAfter: index === 0 ? failure : undefined,
      after: undefined,
    }))
    const { bursts } = await open()
    await expect(readAll(bursts)).rejects.toBe(failure)
    expect(signals.every(({ aborted }) => aborted)).toBe(true)
  })
})

describe('everything is released', () => {
  test('when the caller leaves', async () => {
    const { caller, open, signals } = parted({ prompt: ['p', 'q'] }, () => ({
      chunks: [],
      after: new Promise<void>(() => undefined),
    }))
    const rejection = expect(open()).rejects.toBe(caller.reason)
    await setImmediate()
    caller.leave()
    await rejection
    expect(signals.map(({ reason }) => reason)).toEqual([caller.reason, caller.reason])
  })

  test('when the reader stops', async () => {
    const { finalised, open, signals } = parted({ prompt: ['p', 'q'] }, () => ({
      chunks: [textChunk('a'), textChunk('b', 'stop')],
    }))
    for await (const _ of (await open()).bursts) break
    await setImmediate()
    expect(signals.every(({ aborted }) => aborted)).toBe(true)
    expect([...finalised].sort()).toEqual([0, 1])
  })
})

type Told = {
  readonly chunks?: readonly JsonObject[]
  readonly usage?: JsonObject | undefined
  /** The chunks arrive when this resolves. */
  readonly after?: Promise<void> | undefined
  readonly thrown?: Failure
  readonly thrownAfter?: Failure | undefined
}

/** A call in parts, answered by the test. */
function parted(body: JsonObject, tell: (part: Part) => Told) {
  const caller = aCaller()
  const signals: AbortSignal[] = []
  const finalised = new Set<number>()
  const run: RunPartsContext['run'] = async (part, signal, meter) => {
    signals.push(signal)
    const told = tell(part)
    if (told.thrown !== undefined) throw told.thrown
    return {
      deployment: aDeployment(scriptedUpstream([[]])),
      bursts: play(told, signal, meter, () => finalised.add(part.index)),
      usage: () => told.usage && readUsage(told.usage, new Set()),
    }
  }
  const parts = splitCall(aCall({ body }), 16)
  const counter = { count: async (text: string) => text.length }
  const open = () => runParts({ parts, counter, limit: 8, signal: caller.signal, run })
  return { caller, finalised, open, signals }
}

async function* play(
  told: Told,
  signal: AbortSignal,
  meter: Parameters<RunPartsContext['run']>[2],
  finalise: () => void,
): AsyncGenerator<readonly Delta[]> {
  try {
    if (told.after !== undefined) await orAborted(told.after, signal)
    yield []
    for (const chunk of told.chunks ?? []) {
      const burst = [rawDelta(chunk) as Delta]
      meter.note(burst)
      yield burst
    }
    if (told.thrownAfter !== undefined) throw told.thrownAfter
  } finally {
    finalise()
  }
}

function orAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    work.then(resolve, reject)
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}
