import { getEventListeners } from 'node:events'
import { describe, expect, test } from 'vitest'
import { CallAbort, type CallSignal, controllerUnder } from '../../../src/core/model/call-signal.ts'

const reason = new Error('left')

/** Both kinds of signal, and how each is aborted: what is said below holds for either. */
const kinds: readonly (readonly [string, () => { signal: CallSignal; abort: (why: unknown) => void }])[] = [
  [
    'a CallAbort',
    () => {
      const signal = new CallAbort()
      return { signal, abort: (why) => signal.abort(why) }
    },
  ],
  [
    'an AbortSignal',
    () => {
      const controller = new AbortController()
      return { signal: controller.signal, abort: (why) => controller.abort(why) }
    },
  ],
]

describe.each(kinds)('%s', (_name, create) => {
  test('calls every listener in order, once, and keeps the first reason', () => {
    const { signal, abort } = create()
    const told: string[] = []
    signal.addEventListener('abort', () => told.push('one'))
    signal.addEventListener('abort', { handleEvent: () => told.push('two') })
    signal.addEventListener('abort', () => told.push('three'), { once: true })
    expect([signal.aborted, signal.reason]).toEqual([false, undefined])
    signal.throwIfAborted()
    abort(reason)
    abort(new Error('later'))
    expect(told).toEqual(['one', 'two', 'three'])
    expect([signal.aborted, signal.reason]).toEqual([true, reason])
    expect(() => signal.throwIfAborted()).toThrow(reason)
  })

  test('does not call a removed listener, even one removed by another listener', () => {
    const { signal, abort } = create()
    const told: string[] = []
    const out = () => told.push('out')
    const outMeanwhile = () => told.push('out meanwhile')
    signal.addEventListener('abort', out)
    signal.addEventListener('abort', () => {
      told.push('stays')
      signal.removeEventListener('abort', outMeanwhile)
    })
    signal.addEventListener('abort', outMeanwhile)
    signal.removeEventListener('abort', out)
    signal.removeEventListener('abort', () => undefined)
    abort(reason)
    expect(told).toEqual(['stays'])
  })

  test('calls a listener added after a removal last', () => {
    const { signal, abort } = create()
    const told: string[] = []
    const out = () => told.push('out')
    signal.addEventListener('abort', out)
    signal.addEventListener('abort', () => told.push('stays'))
    signal.removeEventListener('abort', out)
    signal.addEventListener('abort', () => told.push('came'))
    abort(reason)
    expect(told).toEqual(['stays', 'came'])
  })

  test('is already aborted when it calls its listeners, and calls none added later', () => {
    const { signal, abort } = create()
    const seen: unknown[] = []
    signal.addEventListener('abort', () => {
      seen.push([signal.aborted, signal.reason])
      signal.addEventListener('abort', () => seen.push('late'))
    })
    abort(reason)
    signal.addEventListener('abort', () => seen.push('too late'))
    expect(seen).toEqual([[true, reason]])
  })

  test('aborts a controller under it, and not the other way round', () => {
    const { signal, abort } = create()
    const [one, other] = [controllerUnder(signal), controllerUnder(signal)]
    other.abort(new Error('of its own'))
    expect([signal.aborted, one.signal.aborted]).toEqual([false, false])
    abort(reason)
    expect([one.signal.reason, (other.signal.reason as Error).message]).toEqual([reason, 'of its own'])
    expect(controllerUnder(signal).signal.reason).toBe(reason)
  })
})

test('a controller that aborted on its own leaves no listener behind', () => {
  const { signal } = new AbortController()
  const controller = controllerUnder(signal)
  expect(getEventListeners(signal, 'abort')).toHaveLength(1)
  controller.abort()
  expect(getEventListeners(signal, 'abort')).toEqual([])
})
