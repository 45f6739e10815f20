import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { attempt } from '../../../src/core/attempt/attempt.ts'
import type { Delta } from '../../../src/core/model/call.ts'
import { attemptParts, expectNothingLeft, watched } from '../../harness/core/attempt-walk.ts'
import {
  aCall,
  burst,
  bursts,
  pause,
  type Script,
  scriptedUpstream,
  silence,
  textChunk,
  textOf,
  usage,
} from '../../harness/scripted-upstream.ts'

const clocks = { connectMs: 100, firstTokenMs: 1000, idleMs: 500, totalMs: 10_000 }
const nothingVisible = textChunk('')

beforeEach(() => {
  vi.useFakeTimers({ now: 1_700_000_000_000 })
})
afterEach(() => {
  vi.useRealTimers()
})

describe('before the first visible delta', () => {
  test.for([
    ['the first-token clock', 1000, 10_000, 1e6],
    ['the total clock, when it is shorter', 600, 600, 1e6],
    ['the deadline, when it is nearer', 250, 10_000, 250],
  ] as const)('a silent upstream is cancelled by %s', async ([, ms, totalMs, leftMs]) => {
    const { parts, upstream } = aStream([...bursts(nothingVisible), silence], totalMs, leftMs)
    const opening = attempt(parts)
    const state = watched(opening)
    await vi.advanceTimersByTimeAsync(ms - 1)
    expect(state.state()).toBe('waiting')
    await vi.advanceTimersByTimeAsync(1)
    await expect(opening).rejects.toMatchObject({ kind: 'timeout', provider: 'scripted', status: 504 })
    expect(parts.context.record.row.attempts).toMatchObject([{ outcome: 'timeout', totalMs: ms }])
    expect(upstream.calls[0]?.attempt.signal.aborted).toBe(true)
    await expectNothingLeft(parts.signal, upstream)
  })

  test('invisible deltas do not extend the time', async () => {
    const drip = Array.from({ length: 20 }, () => [pause(99), burst(nothingVisible)]).flat()
    const { parts, upstream } = aStream([...drip, ...bursts(textChunk('Hi', 'stop'))])
    const opening = attempt(parts)
    const state = watched(opening)
    await vi.advanceTimersByTimeAsync(1000)
    expect(state.state()).toBe('rejected')
    await expect(opening).rejects.toMatchObject({ kind: 'timeout' })
    await expectNothingLeft(parts.signal, upstream)
  })

  test('the idle clock does not run', async () => {
    const { parts } = aStream([pause(999), ...bursts(textChunk('Hi', 'stop'))])
    const opening = attempt(parts)
    await vi.advanceTimersByTimeAsync(999)
    expect(textOf((await readStep(opening)).value ?? [])).toBe('Hi')
  })
})

describe('between chunks', () => {
  test('an upstream that stalls is cancelled by the idle clock', async () => {
    const { parts, upstream } = aStream([...bursts(textChunk('a')), silence])
    const iterator = await open(parts)
    await iterator.next()
    const next = iterator.next()
    const state = watched(next)
    await vi.advanceTimersByTimeAsync(clocks.idleMs - 1)
    expect(state.state()).toBe('waiting')
    await vi.advanceTimersByTimeAsync(1)
    await expect(next).rejects.toMatchObject({ kind: 'timeout', provider: 'scripted' })
    expect(parts.context.record.row.attempts).toMatchObject([
      { outcome: 'timeout', firstTokenMs: 0, totalMs: 500 },
    ])
    expect(upstream.calls[0]?.attempt.signal.reason).toMatchObject({ kind: 'timeout' })
    await expectNothingLeft(parts.signal, upstream)
  })

  test('every chunk restarts the idle clock, even an invisible one', async () => {
    const script = [
      ...bursts(textChunk('a')),
      pause(499),
      ...bursts({ choices: [], usage: usage(1, 1) }),
      pause(499),
      ...bursts(textChunk('b')),
      pause(499),
      ...bursts(textChunk('c', 'stop')),
    ]
    const { parts, upstream } = aStream(script)
    const iterator = await open(parts)
    const seen: string[] = []
    const reading = (async () => {
      for (let step = await iterator.next(); step.done !== true; step = await iterator.next())
        seen.push(textOf(step.value))
    })()
    await vi.advanceTimersByTimeAsync(3 * 499)
    await reading
    expect(seen).toEqual(['a', 'b', 'c'])
    await expectNothingLeft(parts.signal, upstream)
  })

  test('a slow reader does not count against the upstream', async () => {
    const { parts, upstream } = aStream([
      ...bursts(textChunk('a'), textChunk('b')),
      pause(400),
      ...bursts(textChunk('c', 'stop')),
    ])
    const iterator = await open(parts)
    await vi.advanceTimersByTimeAsync(1000)
    await iterator.next()
    await vi.advanceTimersByTimeAsync(2000)
    await iterator.next()
    await vi.advanceTimersByTimeAsync(3000)
    const last = iterator.next()
    await vi.advanceTimersByTimeAsync(400)
    expect(textOf((await last).value ?? [])).toBe('c')
    expect((await iterator.next()).done).toBe(true)
    expect(parts.context.record.row.attempts).toMatchObject([{ outcome: 'ok', totalMs: 6400 }])
    await expectNothingLeft(parts.signal, upstream)
  })

  test.for([499, 500, 5000])(
    'after %i ms of a slow reader the idle clock starts from zero',
    async (slowMs) => {
      const { parts } = aStream([...bursts(textChunk('a')), silence])
      const iterator = await open(parts)
      await iterator.next()
      await vi.advanceTimersByTimeAsync(slowMs)
      const next = iterator.next()
      const state = watched(next)
      await vi.advanceTimersByTimeAsync(499)
      expect(state.state()).toBe('waiting')
      await vi.advanceTimersByTimeAsync(1)
      await expect(next).rejects.toMatchObject({ kind: 'timeout' })
    },
  )
})

describe('over the whole attempt', () => {
  test.for([
    ['the total clock', 10_000, 1e6],
    ['the deadline', 4000, 4000],
  ] as const)('an endless slow stream is cancelled by %s', async ([, ms, leftMs]) => {
    const drip = Array.from({ length: 100 }, () => [burst(textChunk('a')), pause(300)]).flat()
    const { parts, upstream } = aStream(drip, 10_000, leftMs)
    const iterator = await open(parts)
    const reading = (async () => {
      while ((await iterator.next()).done !== true);
    })()
    const state = watched(reading)
    await vi.advanceTimersByTimeAsync(ms - 1)
    expect(state.state()).toBe('waiting')
    await vi.advanceTimersByTimeAsync(1)
    await expect(reading).rejects.toMatchObject({ kind: 'timeout', provider: 'scripted' })
    expect(parts.context.record.row.attempts).toMatchObject([{ outcome: 'timeout', totalMs: ms }])
    await expectNothingLeft(parts.signal, upstream)
  })

  test('the time to the first token counts', async () => {
    const { parts } = aStream([pause(900), ...bursts(textChunk('a')), pause(300), silence], 1300)
    const opening = attempt(parts)
    await vi.advanceTimersByTimeAsync(900)
    const iterator = iteratorOf(await opening)
    await iterator.next()
    const next = iterator.next()
    const state = watched(next)
    await vi.advanceTimersByTimeAsync(399)
    expect(state.state()).toBe('waiting')
    await vi.advanceTimersByTimeAsync(1)
    await expect(next).rejects.toMatchObject({ kind: 'timeout' })
  })

  test('the total clock cancels the upstream even while the reader is slow', async () => {
    const { parts, upstream } = aStream([...bursts(textChunk('a'), textChunk('b')), silence])
    const iterator = await open(parts)
    await iterator.next()
    await vi.advanceTimersByTimeAsync(10_000)
    expect(upstream.calls[0]?.attempt.signal.reason).toMatchObject({ kind: 'timeout' })
    await expect(iterator.next()).rejects.toMatchObject({ kind: 'timeout' })
    await expectNothingLeft(parts.signal, upstream)
  })
})

test('a finished stream leaves no clock running', async () => {
  const { parts, upstream } = aStream(bursts(textChunk('a'), textChunk('b', 'stop')))
  const iterator = await open(parts)
  await iterator.next()
  expect(vi.getTimerCount()).toBeGreaterThan(0)
  await iterator.next()
  expect((await iterator.next()).done).toBe(true)
  await expectNothingLeft(parts.signal, upstream)
  expect(upstream.calls[0]?.attempt.signal.aborted).toBe(false)
})

function aStream(script: Script, totalMs = clocks.totalMs, leftMs = 1e6) {
  const upstream = scriptedUpstream([script], { clocks: { ...clocks, totalMs } })
  const call = aCall({ stream: true })
  return { upstream, parts: attemptParts(upstream, { call, deadlineAt: Date.now() + leftMs }) }
}

async function open(parts: ReturnType<typeof attemptParts>): Promise<AsyncIterator<readonly Delta[]>> {
  return iteratorOf(await attempt(parts))
}

async function readStep(opening: ReturnType<typeof attempt>): Promise<IteratorResult<readonly Delta[]>> {
  return await iteratorOf(await opening).next()
}

function iteratorOf({ bursts }: Awaited<ReturnType<typeof attempt>>): AsyncIterator<readonly Delta[]> {
  if (!(Symbol.asyncIterator in bursts)) throw new TypeError('A stream is read step by step.')
  return bursts[Symbol.asyncIterator]()
}
