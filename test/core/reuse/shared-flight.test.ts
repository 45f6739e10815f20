import { setImmediate } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { Chunk } from '../../../src/core/model/call.ts'
import { CallAbort } from '../../../src/core/model/call-signal.ts'
import { Failure } from '../../../src/core/model/failure.ts'
import { JsonText } from '../../../src/core/model/json/json-text.ts'
import type { CachedReply } from '../../../src/core/reuse/kept-reply.ts'
import { createSharedFlight } from '../../../src/core/reuse/shared-flight.ts'
import { createMemoryShelf } from '../../../src/state/memory-shelf.ts'

const chunk: Chunk = {
  id: 'a',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: 'hi\n' }, finish_reason: 'stop' }],
}
const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 }
const answer: CachedReply = {
  reply: { chunk: JsonText.of(chunk), usage },
  deployment: 'm@here',
  costNanoUsd: 7,
  baseline: undefined,
}

describe('of processes that are asked for the same at once', () => {
  test('one makes it, and the others have what it made', async () => {
    const { here, there, shelf } = aPair()
    expect(await here.board('k', signal())).toBeUndefined()
    const waiting = [there.board('k', signal()), there.board('k', signal())]
    await setImmediate()
    here.landed('k', answer)
    for (const each of await Promise.all(waiting)) {
      expect(each?.reply.chunk.text).toBe(answer.reply.chunk.text)
      expect(each).toMatchObject({ deployment: 'm@here', costNanoUsd: 7, reply: { usage } })
    }
    await setImmediate()
    expect(await shelf.begin('flight:k', { owner: 'x', fingerprint: '', ttlMs: 1 })).toEqual({
      isYours: true,
    })
  })

  test('all hear that it failed', async () => {
    const { here, there } = aPair()
    await here.board('k', signal())
    const waiting = there.board('k', signal())
    await setImmediate()
    here.landed('k', { thrown: new Failure('rejected', 'No.', { param: 'x' }) })
    await expect(waiting).rejects.toMatchObject({ kind: 'rejected', message: 'No.', param: 'x' })
  })

  test.for([
    ['whose callers left', 'landed'],
    ['that died', 'abandoned'],
  ])('one %s leaves it to the others', async ([, how]) => {
    const { here, there, shelf } = aPair()
    await here.board('k', signal())
    const waiting = there.board('k', signal())
    if (how === 'landed') here.landed('k', { thrown: new Failure('caller_left', 'Gone.') })
    else await shelf.abandon('here')
    expect(await waiting).toBeUndefined()
  })

  test('one whose callers leave waits no longer', async () => {
    const { here, there } = aPair()
    await here.board('k', signal())
    const leaving = signal()
    const waiting = there.board('k', leaving)
    const gone = new Failure('caller_left', 'Gone.')
    leaving.abort(gone)
    await expect(waiting).rejects.toBe(gone)
  })

  test('each continues for itself while the shelf is away', async () => {
    const shelf = createMemoryShelf({ now: () => 0 })
    shelf.begin = () => Promise.reject(new Error('Away.'))
    const flight = createSharedFlight({ shelf, owner: 'here', makingMs: 1000 })
    expect(await flight.board('k', signal())).toBeUndefined()
    flight.landed('k', answer)
  })
})

function aPair() {
  const shelf = createMemoryShelf({ now: () => 0 })
  const [here, there] = ['here', 'there'].map((owner) =>
    createSharedFlight({ shelf, owner, makingMs: 60_000 }),
  )
  if (here === undefined || there === undefined) throw new TypeError('There are two.')
  return { shelf, here, there }
}

function signal(): CallAbort {
  return new CallAbort()
}
