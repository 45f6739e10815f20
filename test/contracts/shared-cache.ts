import { describe, expect, test } from 'vitest'
import { CallAbort } from '../../src/core/model/call-signal.ts'
import { Failure } from '../../src/core/model/failure.ts'
import type { Beginning, SharedCache } from '../../src/core/model/shared/cache.ts'

/** A shared cache that the suite is run on. */
export type CacheSubject = {
  readonly name: string
  open(): Promise<CacheStage>
}

export type CacheStage = AsyncDisposable & {
  readonly cache: SharedCache
  /** The cache as used by another process; the same object if there is only one process. */
  readonly other: SharedCache
  /** Advances the cache's own clock. */
  pass(ms: number): Promise<void>
}

/** Runs the suite that every shared cache has to pass. */
export function describeSharedCache({ name, open }: CacheSubject): void {
  describe(`texts in the cache in ${name}`, () => {
    test('a text is found until it is replaced or removed', async () => {
      await using stage = await open()
      const { cache, other } = stage
      expect(await cache.get('a')).toBeUndefined()
      await cache.put('a', 'one', 60_000)
      await cache.put('a', 'two \u{1f600}', 60_000)
      expect(await other.get('a')).toBe('two \u{1f600}')
      expect(await other.remove('a')).toBe(true)
      expect(await cache.remove('a')).toBe(false)
      expect(await cache.get('a')).toBeUndefined()
    })

    test('a text expires', async () => {
      await using stage = await open()
      const { cache, pass } = stage
      await cache.put('short', 'one', 300)
      await cache.put('long', 'two', 60_000)
      await cache.put('', '', 60_000)
      await pass(301)
      expect([await cache.get('short'), await cache.get('long'), await cache.get('')]).toEqual([
        undefined,
        'two',
        '',
      ])
    })
  })

  describe(`answers in the cache in ${name}`, () => {
    test('of many that begin at once, one makes the answer; the others get its fingerprint', async () => {
      await using stage = await open()
      const { cache, other } = stage
      const begun = await Promise.all(
        Array.from({ length: 40 }, (_, at) =>
          (at % 2 === 0 ? cache : other).begin('a', by(`node-${at}`, `print-${at}`)),
        ),
      )
      expect(begun.filter(({ isYours }) => isYours)).toEqual([{ isYours: true }])
      const first = begun.findIndex(({ isYours }) => isYours)
      expect(new Set(begun.map((each) => (each.isYours ? `print-${first}` : each.fingerprint)))).toEqual(
        new Set([`print-${first}`]),
      )
      expect(begun.find(({ isYours }) => !isYours)).toMatchObject({ isWhole: false })
    })

    test('a follower gets every piece from the first on, before, while and after the answer is made', async () => {
      await using stage = await open()
      const { cache, other } = stage
      await cache.begin('a', by('node-1'))
      const early = gather(other, 'a')
      await cache.append('a', 'node-1', ['one ', 'two '])
      await early.until('one two ')
      const later = gather(cache, 'a')
      await later.until('one two ')
      expect(await cache.append('a', 'node-1', ['', 'th\u{1f600}ree'])).toBe(true)
      expect(await cache.finish('a', 'node-1', { keepMs: 60_000 })).toBe(true)
      const after = gather(other, 'a')
      for (const each of [early, later, after]) {
        await each.end
        expect(each.text()).toBe('one two th\u{1f600}ree')
      }
      expect(await other.begin('a', by('node-2', 'print-2'))).toEqual({
        isYours: false,
        fingerprint: 'print',
        isWhole: true,
      })
    })

    test('texts and answers have separate keys', async () => {
      await using stage = await open()
      const { cache } = stage
      await cache.put('a', 'text', 60_000)
      expect(await cache.begin('a', by('node-1'))).toEqual({ isYours: true })
      expect(await cache.get('a')).toBe('text')
      await cache.remove('a')
      expect(await cache.append('a', 'node-1', ['x'])).toBe(true)
    })

    test('a follower of a dropped answer gets all of it, and the key is free', async () => {
      await using stage = await open()
      const { cache, other } = stage
      await cache.begin('a', by('node-1'))
      const early = gather(other, 'a')
      await cache.append('a', 'node-1', ['one'])
      await early.until('one')
      await cache.append('a', 'node-1', [' two'])
      await cache.finish('a', 'node-1', 'drop')
      expect(await other.begin('a', by('node-2', 'print-2'))).toEqual({ isYours: true })
      await other.append('a', 'node-2', ['other'])
      await early.end
      expect(early.text()).toBe('one two')
    })

    test('only its owner can remove a complete answer', async () => {
      await using stage = await open()
      const { cache, other } = stage
      await cache.begin('a', by('node-1'))
      await cache.forget('a', 'node-1')
      const early = gather(other, 'a')
      expect(await cache.append('a', 'node-1', ['one'])).toBe(true)
      await early.until('one')
      await cache.finish('a', 'node-1', { keepMs: 60_000 })
      await other.forget('a', 'node-2')
      await early.end
      expect(await other.begin('a', by('node-2'))).toMatchObject({ isWhole: true })
      await other.forget('a', 'node-1')
      await cache.forget('nothing', 'node-1')
      expect(await other.begin('a', by('node-2', 'print-2'))).toEqual({ isYours: true })
    })

    test('an answer may have no pieces', async () => {
      await using stage = await open()
      const { cache } = stage
      await cache.begin('a', by('node-1'))
      await cache.finish('a', 'node-1', { keepMs: 60_000 })
      const after = gather(cache, 'a')
      await after.end
      expect(after.text()).toBe('')
    })

    test('only its owner can append to it or end it, and only until it has ended', async () => {
      await using stage = await open()
      const { cache } = stage
      await cache.begin('a', by('node-1'))
      expect(await cache.append('a', 'node-2', ['x'])).toBe(false)
      expect(await cache.finish('a', 'node-2', 'drop')).toBe(false)
      expect(await cache.finish('a', 'node-1', { keepMs: 60_000 })).toBe(true)
      expect(await cache.append('a', 'node-1', ['x'])).toBe(false)
      expect(await cache.finish('a', 'node-1', 'drop')).toBe(false)
      expect(await cache.append('nothing', 'node-1', ['x'])).toBe(false)
    })

    test('following an unknown answer is an error', async () => {
      await using stage = await open()
      await expect(gather(stage.cache, 'a').end).rejects.toMatchObject({ kind: 'interrupted' })
    })

    test('followers are notified when the owner dies, and the key is free; complete answers stay', async () => {
      await using stage = await open()
      const { cache, other } = stage
      await cache.begin('a', by('node-1'))
      await cache.begin('b', by('node-2'))
      await cache.begin('c', by('node-1'))
      await cache.finish('c', 'node-1', { keepMs: 60_000 })
      await cache.append('a', 'node-1', ['one'])
      const early = gather(other, 'a')
      const there = gather(cache, 'a')
      await early.until('one')
      await there.until('one')
      await other.abandon('node-1')
      await expect(early.end).rejects.toMatchObject({ kind: 'interrupted' })
      await expect(there.end).rejects.toMatchObject({ kind: 'interrupted' })
      expect(await cache.append('a', 'node-1', ['x'])).toBe(false)
      expect(await cache.begin('a', by('node-2', 'print-2'))).toEqual({ isYours: true })
      expect(await cache.append('b', 'node-2', ['x'])).toBe(true)
      expect(await cache.begin('c', by('node-2'))).toMatchObject({ isWhole: true })
    })

    test('an answer that takes too long to make expires, and so does a kept one', async () => {
      await using stage = await open()
      const { cache, pass } = stage
      await cache.begin('slow', { ...by('node-1'), ttlMs: 300 })
      await cache.begin('kept', by('node-1'))
      await cache.append('kept', 'node-1', ['x'])
      await cache.finish('kept', 'node-1', { keepMs: 300 })
      await pass(301)
      expect(await cache.append('slow', 'node-1', ['x'])).toBe(false)
      await expect(gather(cache, 'kept').end).rejects.toMatchObject({ kind: 'interrupted' })
      expect(await cache.begin('slow', by('node-2'))).toEqual({ isYours: true })
      expect(await cache.begin('kept', by('node-2'))).toEqual({ isYours: true })
    })

    test('a follower leaves when its signal aborts', async () => {
      await using stage = await open()
      const { cache } = stage
      await cache.begin('a', by('node-1'))
      const signal = new CallAbort()
      const leaving = gather(cache, 'a', signal)
      await cache.append('a', 'node-1', ['one'])
      await leaving.until('one')
      const reason = new Failure('caller_left', 'The caller left.')
      signal.abort(reason)
      await expect(leaving.end).rejects.toBe(reason)
      await expect(gather(cache, 'a', signal).end).rejects.toBe(reason)
      expect(await cache.append('a', 'node-1', ['x'])).toBe(true)
    })
  })
}

function by(owner: string, fingerprint = 'print'): Beginning {
  return { owner, fingerprint, ttlMs: 60_000 }
}

/** Follows an answer, and collects its pieces. */
function gather(cache: SharedCache, key: string, signal = new CallAbort()) {
  let text = ''
  let wake = () => {}
  const end = (async () => {
    for await (const piece of cache.follow(key, signal)) {
      text += piece
      wake()
    }
  })()
  end.catch(() => {})
  return {
    end,
    text: () => text,
    async until(wanted: string) {
      while (text !== wanted) await new Promise<void>((resolve) => (wake = resolve))
    },
  }
}
