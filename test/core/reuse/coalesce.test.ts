import { getEventListeners } from 'node:events'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Coalescer, createCoalescer } from '../../../src/core/reuse/coalesce.ts'

/** A piece of work that ends when the test says so. */
type Work = PromiseWithResolvers<string> & { readonly signal: AbortSignal }

/** The result that a caller got: `undefined` while it waits. */
type Caller = { readonly abort: AbortController; heard: string | undefined }

type Bench = {
  readonly coalescer: Coalescer<string>
  /** The started work, in order. */
  readonly works: Work[]
  /** Lets a caller make a request. */
  call(key?: string): Caller
}

function aBench(): Bench {
  const coalescer = createCoalescer<string>()
  const works: Work[] = []
  return {
    coalescer,
    works,
    call(key = 'k') {
      const caller: Caller = { abort: new AbortController(), heard: undefined }
      const start = (signal: AbortSignal) => {
        const work: Work = { ...Promise.withResolvers<string>(), signal }
        works.push(work)
        return work.promise
      }
      coalescer.run(key, caller.abort.signal, start).then(
        (value) => {
          caller.heard = value
        },
        (reason) => {
          caller.heard = `rejected: ${reason}`
        },
      )
      return caller
    },
  }
}

/** Lets every reaction to what has happened run: none of it waits for anything but microtasks. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
}

function heardBy(...callers: readonly Caller[]): (string | undefined)[] {
  return callers.map(({ heard }) => heard)
}

function listenersOf({ abort }: Caller): number {
  return getEventListeners(abort.signal, 'abort').length
}

describe('callers with the same request at the same time', () => {
  test('share one piece of work and its result', async () => {
    const { works, call } = aBench()
    const callers = [call(), call(), call()]
    await settle()
    expect(heardBy(...callers)).toEqual([undefined, undefined, undefined])
    works[0]?.resolve('done')
    await settle()
    expect(heardBy(...callers)).toEqual(['done', 'done', 'done'])
    expect(works).toHaveLength(1)
  })

  test('share its failure, as the same object', async () => {
    const coalescer = createCoalescer<string>()
    const { promise, reject } = Promise.withResolvers<string>()
    const { signal } = new AbortController()
    const asked = ['first', 'second'].map(() => coalescer.run('k', signal, () => promise))
    const failure = new Error('no')
    reject(failure)
    const heard = await Promise.allSettled(asked)
    for (const result of heard) expect(result).toEqual({ status: 'rejected', reason: failure })
    expect(heard.map((result) => result.status === 'rejected' && result.reason === failure)).toEqual([
      true,
      true,
    ])
  })

  test('share nothing if their requests differ', async () => {
    const { works, call } = aBench()
    const [one, other] = [call('a'), call('b')]
    works[1]?.resolve('for b')
    await settle()
    expect(heardBy(one, other)).toEqual([undefined, 'for b'])
  })
})

describe('a caller that leaves is rejected at once, with the reason of its own signal', () => {
  test.for([
    ['the leader', 0],
    ['a follower', 1],
    ['the last to come', 2],
  ] as const)('%s: the others get their result', async ([, leaving]) => {
    const { coalescer, works, call } = aBench()
    const callers = [call(), call(), call()]
    callers[leaving]?.abort.abort('gone')
    await settle()
    expect(callers[leaving]?.heard).toBe('rejected: gone')
    expect(works[0]?.signal.aborted).toBe(false)
    expect(coalescer.inFlight).toBe(1)
    works[0]?.resolve('done')
    await settle()
    const expected = ['done', 'done', 'done'].with(leaving, 'rejected: gone')
    expect(heardBy(...callers)).toEqual(expected)
  })

  test('a caller that left before its request starts nothing', async () => {
    const coalescer = createCoalescer<string>()
    let begun = 0
    const start = async () => {
      begun++
      return 'done'
    }
    await expect(coalescer.run('k', AbortSignal.abort('gone'), start)).rejects.toBe('gone')
    expect([begun, coalescer.inFlight]).toEqual([0, 0])
  })

  test('a caller that left before its request does not count as waiting', async () => {
    const { coalescer, works, call } = aBench()
    const leader = call()
    await expect(coalescer.run('k', AbortSignal.abort('gone'), async () => '')).rejects.toBe('gone')
    leader.abort.abort('left')
    expect(works[0]?.signal.aborted).toBe(true)
  })
})

describe('when all callers have left', () => {
  test('the work is aborted with the last caller’s reason, and not earlier', async () => {
    const { coalescer, works, call } = aBench()
    const [one, two, three] = [call(), call(), call()]
    const isAborted: boolean[] = []
    for (const [index, caller] of [two, one, three].entries()) {
      caller.abort.abort(`left ${index}`)
      isAborted.push(works[0]?.signal.aborted ?? false)
    }
    expect(isAborted).toEqual([false, false, true])
    expect(works[0]?.signal.reason).toBe('left 2')
    expect(coalescer.inFlight).toBe(0)
    await settle()
    expect(heardBy(one, two, three)).toEqual(['rejected: left 1', 'rejected: left 0', 'rejected: left 2'])
  })

  test('a new request starts over, unaffected by the end of the old work', async () => {
    const { coalescer, works, call } = aBench()
    call().abort.abort('left')
    const later = call()
    expect(works).toHaveLength(2)
    works[0]?.reject('aborted')
    await settle()
    expect(coalescer.inFlight).toBe(1)
    const follower = call()
    works[1]?.resolve('done')
    await settle()
    expect(works).toHaveLength(2)
    expect(heardBy(later, follower)).toEqual(['done', 'done'])
  })

  test('a late result is dropped', async () => {
    const { works, call } = aBench()
    const caller = call()
    caller.abort.abort('left')
    works[0]?.resolve('done')
    await settle()
    expect(caller.heard).toBe('rejected: left')
  })
})

describe('no state remains after the end', () => {
  test.for([
    ['after a result', (work: Work) => work.resolve('done')],
    ['after a failure', (work: Work) => work.reject('no')],
  ] as const)('%s', async ([, end]) => {
    const { coalescer, works, call } = aBench()
    const callers = [call(), call()]
    expect(callers.map(listenersOf)).toEqual([1, 1])
    end(works[0]!)
    await settle()
    expect(callers.map(listenersOf)).toEqual([0, 0])
    expect(coalescer.inFlight).toBe(0)
    for (const { abort } of callers) abort.abort('late')
    expect(works[0]?.signal.aborted).toBe(false)
  })

  test('a request repeated right after the end starts over', async () => {
    const coalescer = createCoalescer<number>()
    const { signal } = new AbortController()
    let begun = 0
    const ask = () => coalescer.run('k', signal, async () => ++begun)
    expect(await Promise.all([ask().then(ask), ask().then(ask)])).toEqual([2, 2])
    await expect(coalescer.run('k', signal, () => Promise.reject('no'))).rejects.toBe('no')
    expect(await ask()).toBe(3)
  })
})

describe('a start', () => {
  test('that throws is an ordinary failure', async () => {
    const coalescer = createCoalescer<string>()
    const { signal } = new AbortController()
    const asked = coalescer.run('k', signal, () => {
      throw new TypeError('a bug')
    })
    await expect(asked).rejects.toThrow('a bug')
    expect(coalescer.inFlight).toBe(0)
  })

  test('during which the caller leaves is cancelled', async () => {
    const coalescer = createCoalescer<string>()
    const abort = new AbortController()
    let work: AbortSignal | undefined
    const asked = coalescer.run('k', abort.signal, (signal) => {
      work = signal
      abort.abort('gone')
      return Promise.withResolvers<string>().promise
    })
    await expect(asked).rejects.toBe('gone')
    expect([work?.aborted, coalescer.inFlight]).toEqual([true, 0])
  })
})

test('for any order of events, each caller gets one result, and work continues exactly as long as a caller waits', async () => {
  const step = fc.oneof(
    fc.record({ do: fc.constantFrom('call' as const), key: fc.constantFrom('a', 'b') }),
    fc.record({
      do: fc.constantFrom('leave' as const, 'resolve' as const, 'reject' as const),
      at: fc.nat(7),
    }),
    fc.record({ do: fc.constantFrom('settle' as const) }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const { coalescer, works, call } = aBench()
      const callers: { caller: Caller; work: Work; expected: string | undefined }[] = []
      const waitingFor = (work: Work) =>
        callers.filter((one) => one.work === work && one.expected === undefined)
      /** The work that callers wait for, by key. */
      const current = new Map<string, Work>()
      const forget = (work: Work) => {
        for (const [key, value] of current) if (value === work) current.delete(key)
      }
      for (const next of steps) {
        if (next.do === 'settle') await settle()
        else if (next.do === 'call') {
          const begunBefore = works.length
          const caller = call(next.key)
          const work = current.get(next.key) ?? works.at(-1)!
          expect(works.length - begunBefore).toBe(current.has(next.key) ? 0 : 1)
          current.set(next.key, work)
          callers.push({ caller, work, expected: undefined })
        } else if (next.do === 'leave') {
          const leaving = callers[next.at]
          if (leaving?.expected !== undefined || leaving === undefined) continue
          leaving.expected = 'rejected: left'
          leaving.caller.abort.abort('left')
          if (waitingFor(leaving.work).length === 0) forget(leaving.work)
        } else {
          const work = works[next.at]
          if (work === undefined) continue
          if (next.do === 'resolve') work.resolve(`done ${next.at}`)
          else work.reject(`no ${next.at}`)
          await settle()
          for (const one of waitingFor(work)) {
            one.expected = next.do === 'resolve' ? `done ${next.at}` : `rejected: no ${next.at}`
          }
          forget(work)
        }
        expect(coalescer.inFlight).toBe(current.size)
      }
      await settle()
      expect(callers.map(({ caller }) => caller.heard)).toEqual(callers.map(({ expected }) => expected))
      for (const { caller, work, expected } of callers) {
        expect(listenersOf(caller)).toBe(expected === undefined ? 1 : 0)
        if (expected === undefined) expect(work.signal.aborted).toBe(false)
      }
      for (const work of works) {
        const waited = callers.filter((one) => one.work === work)
        expect(work.signal.aborted).toBe(waited.every(({ expected }) => expected === 'rejected: left'))
      }
    }),
  )
})
