import { describe, expect, test } from 'vitest'
import { CallAbort } from '../../src/core/model/call-signal.ts'
import { Failure } from '../../src/core/model/failure.ts'
import type { Beginning, SharedShelf } from '../../src/core/model/shared/shelf.ts'

/** A shared shelf that the suite is run on. */
export type ShelfSubject = {
  readonly name: string
  open(): Promise<ShelfStage>
}

export type ShelfStage = AsyncDisposable & {
  readonly shelf: SharedShelf
  /** The shelf as another process has it; the same one where there is but one process. */
  readonly other: SharedShelf
  /** Lets so much time go by on the shelf's own clock. */
  pass(ms: number): Promise<void>
}

/** Runs the suite that every shared shelf has to pass. */
export function describeShelf({ name, open }: ShelfSubject): void {
  describe(`texts on the shelf in ${name}`, () => {
    test('a text is there until it is replaced or removed', async () => {
      await using stage = await open()
      const { shelf, other } = stage
      expect(await shelf.get('a')).toBeUndefined()
      await shelf.put('a', 'one', 60_000)
      await shelf.put('a', 'two \u{1f600}', 60_000)
      expect(await other.get('a')).toBe('two \u{1f600}')
      expect(await other.remove('a')).toBe(true)
      expect(await shelf.remove('a')).toBe(false)
      expect(await shelf.get('a')).toBeUndefined()
    })

    test('and for its time', async () => {
      await using stage = await open()
      const { shelf, pass } = stage
      await shelf.put('short', 'one', 300)
      await shelf.put('long', 'two', 60_000)
      await shelf.put('', '', 60_000)
      await pass(301)
      expect([await shelf.get('short'), await shelf.get('long'), await shelf.get('')]).toEqual([
        undefined,
        'two',
        '',
      ])
    })
  })

  describe(`answers on the shelf in ${name}`, () => {
    test('of many who begin at once, one makes the answer; the others hear what it is to', async () => {
      await using stage = await open()
      const { shelf, other } = stage
      const begun = await Promise.all(
        Array.from({ length: 40 }, (_, at) =>
          (at % 2 === 0 ? shelf : other).begin('a', by(`node-${at}`, `print-${at}`)),
        ),
      )
      expect(begun.filter(({ isYours }) => isYours)).toEqual([{ isYours: true }])
      const first = begun.findIndex(({ isYours }) => isYours)
      expect(new Set(begun.map((each) => (each.isYours ? `print-${first}` : each.fingerprint)))).toEqual(
        new Set([`print-${first}`]),
      )
      expect(begun.find(({ isYours }) => !isYours)).toMatchObject({ isWhole: false })
    })

    test('who follows has every piece from the first on, before, while and after it is made', async () => {
      await using stage = await open()
      const { shelf, other } = stage
      await shelf.begin('a', by('node-1'))
      const early = gather(other, 'a')
      await shelf.append('a', 'node-1', ['one ', 'two '])
      await early.until('one two ')
      const later = gather(shelf, 'a')
      await later.until('one two ')
      expect(await shelf.append('a', 'node-1', ['', 'th\u{1f600}ree'])).toBe(true)
      expect(await shelf.finish('a', 'node-1', { keepMs: 60_000 })).toBe(true)
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

    test('a text under the same key is another thing', async () => {
      await using stage = await open()
      const { shelf } = stage
      await shelf.put('a', 'text', 60_000)
      expect(await shelf.begin('a', by('node-1'))).toEqual({ isYours: true })
      expect(await shelf.get('a')).toBe('text')
      await shelf.remove('a')
      expect(await shelf.append('a', 'node-1', ['x'])).toBe(true)
    })

    test('who follows one that is dropped gets all of it, and the key is free', async () => {
      await using stage = await open()
      const { shelf, other } = stage
      await shelf.begin('a', by('node-1'))
      const early = gather(other, 'a')
      await shelf.append('a', 'node-1', ['one'])
      await early.until('one')
      await shelf.append('a', 'node-1', [' two'])
      await shelf.finish('a', 'node-1', 'drop')
      expect(await other.begin('a', by('node-2', 'print-2'))).toEqual({ isYours: true })
      await other.append('a', 'node-2', ['other'])
      await early.end
      expect(early.text()).toBe('one two')
    })

    test('its owner takes out what is whole, and nobody else does', async () => {
      await using stage = await open()
      const { shelf, other } = stage
      await shelf.begin('a', by('node-1'))
      await shelf.forget('a', 'node-1')
      const early = gather(other, 'a')
      expect(await shelf.append('a', 'node-1', ['one'])).toBe(true)
      await early.until('one')
      await shelf.finish('a', 'node-1', { keepMs: 60_000 })
      await other.forget('a', 'node-2')
      await early.end
      expect(await other.begin('a', by('node-2'))).toMatchObject({ isWhole: true })
      await other.forget('a', 'node-1')
      await shelf.forget('nothing', 'node-1')
      expect(await other.begin('a', by('node-2', 'print-2'))).toEqual({ isYours: true })
    })

    test('an answer of no pieces is one', async () => {
      await using stage = await open()
      const { shelf } = stage
      await shelf.begin('a', by('node-1'))
      await shelf.finish('a', 'node-1', { keepMs: 60_000 })
      const after = gather(shelf, 'a')
      await after.end
      expect(after.text()).toBe('')
    })

    test('only its owner adds to it or ends it, and only until it has ended', async () => {
      await using stage = await open()
      const { shelf } = stage
      await shelf.begin('a', by('node-1'))
      expect(await shelf.append('a', 'node-2', ['x'])).toBe(false)
      expect(await shelf.finish('a', 'node-2', 'drop')).toBe(false)
      expect(await shelf.finish('a', 'node-1', { keepMs: 60_000 })).toBe(true)
      expect(await shelf.append('a', 'node-1', ['x'])).toBe(false)
      expect(await shelf.finish('a', 'node-1', 'drop')).toBe(false)
      expect(await shelf.append('nothing', 'node-1', ['x'])).toBe(false)
    })

    test('nobody follows what is not there', async () => {
      await using stage = await open()
      await expect(gather(stage.shelf, 'a').end).rejects.toMatchObject({ kind: 'interrupted' })
    })

    test('who follows is told when its owner is gone, and the key is free; what is whole stays', async () => {
      await using stage = await open()
      const { shelf, other } = stage
      await shelf.begin('a', by('node-1'))
      await shelf.begin('b', by('node-2'))
      await shelf.begin('c', by('node-1'))
      await shelf.finish('c', 'node-1', { keepMs: 60_000 })
      await shelf.append('a', 'node-1', ['one'])
      const early = gather(other, 'a')
      const there = gather(shelf, 'a')
      await early.until('one')
      await there.until('one')
      await other.abandon('node-1')
      await expect(early.end).rejects.toMatchObject({ kind: 'interrupted' })
      await expect(there.end).rejects.toMatchObject({ kind: 'interrupted' })
      expect(await shelf.append('a', 'node-1', ['x'])).toBe(false)
      expect(await shelf.begin('a', by('node-2', 'print-2'))).toEqual({ isYours: true })
      expect(await shelf.append('b', 'node-2', ['x'])).toBe(true)
      expect(await shelf.begin('c', by('node-2'))).toMatchObject({ isWhole: true })
    })

    test('what takes too long to make, and what was kept for its time, is gone', async () => {
      await using stage = await open()
      const { shelf, pass } = stage
      await shelf.begin('slow', { ...by('node-1'), ttlMs: 300 })
      await shelf.begin('kept', by('node-1'))
      await shelf.append('kept', 'node-1', ['x'])
      await shelf.finish('kept', 'node-1', { keepMs: 300 })
      await pass(301)
      expect(await shelf.append('slow', 'node-1', ['x'])).toBe(false)
      await expect(gather(shelf, 'kept').end).rejects.toMatchObject({ kind: 'interrupted' })
      expect(await shelf.begin('slow', by('node-2'))).toEqual({ isYours: true })
      expect(await shelf.begin('kept', by('node-2'))).toEqual({ isYours: true })
    })

    test('who follows leaves when their signal aborts', async () => {
      await using stage = await open()
      const { shelf } = stage
      await shelf.begin('a', by('node-1'))
      const signal = new CallAbort()
      const leaving = gather(shelf, 'a', signal)
      await shelf.append('a', 'node-1', ['one'])
      await leaving.until('one')
      const reason = new Failure('caller_left', 'The caller left.')
      signal.abort(reason)
      await expect(leaving.end).rejects.toBe(reason)
      await expect(gather(shelf, 'a', signal).end).rejects.toBe(reason)
      expect(await shelf.append('a', 'node-1', ['x'])).toBe(true)
    })
  })
}

function by(owner: string, fingerprint = 'print'): Beginning {
  return { owner, fingerprint, ttlMs: 60_000 }
}

/** Follows an answer, and takes what comes. */
function gather(shelf: SharedShelf, key: string, signal = new CallAbort()) {
  let text = ''
  let wake = () => {}
  const end = (async () => {
    for await (const piece of shelf.follow(key, signal)) {
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
