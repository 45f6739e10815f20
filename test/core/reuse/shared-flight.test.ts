import { setImmediate } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { Chunk } from '../../../src/core/model/call.ts'
import { CallAbort } from '../../../src/core/model/call-signal.ts'
import { Failure } from '../../../src/core/model/failure.ts'
import { JsonText } from '../../../src/core/model/json/json-text.ts'
import type { CachedReply } from '../../../src/core/reuse/kept-reply.ts'
import { createSharedFlight } from '../../../src/core/reuse/shared-flight.ts'
import { createMemoryCache } from '../../../src/state/memory-cache.ts'

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

describe('of processes with the same request at once', () => {
  test('one makes the answer, and the others get it', async () => {
    const { here, there, cache } = aPair()
    expect(await here.join('k', signal())).toBeUndefined()
    const waiting = [there.join('k', signal()), there.join('k', signal())]
    await setImmediate()
    here.publish('k', answer)
    for (const each of await Promise.all(waiting)) {
      expect(each?.reply.chunk.text).toBe(answer.reply.chunk.text)
      expect(each).toMatchObject({ deployment: 'm@here', costNanoUsd: 7, reply: { usage } })
    }
    await setImmediate()
    expect(await cache.begin('flight:k', { owner: 'x', fingerprint: '', ttlMs: 1 })).toEqual({
      isYours: true,
    })
  })

  test('all get its failure', async () => {
    const { here, there } = aPair()
    await here.join('k', signal())
    const waiting = there.join('k', signal())
    await setImmediate()
    here.publish('k', { thrown: new Failure('rejected', 'No.', { param: 'x' }) })
    await expect(waiting).rejects.toMatchObject({ kind: 'rejected', message: 'No.', param: 'x' })
  })

  test.for([
    ['whose callers left', 'publish'],
    ['that died', 'abandoned'],
  ])('the work of a process %s is left to the others', async ([, how]) => {
    const { here, there, cache } = aPair()
    await here.join('k', signal())
    const waiting = there.join('k', signal())
    if (how === 'publish') here.publish('k', { thrown: new Failure('caller_left', 'Gone.') })
    else await cache.abandon('here')
    expect(await waiting).toBeUndefined()
  })

  test('one whose callers leave stops waiting', async () => {
    const { here, there } = aPair()
    await here.join('k', signal())
    const leaving = signal()
    const waiting = there.join('k', leaving)
    const gone = new Failure('caller_left', 'Gone.')
    leaving.abort(gone)
    await expect(waiting).rejects.toBe(gone)
  })

  test('each works on its own while the shared cache is unavailable', async () => {
    const cache = createMemoryCache({ now: () => 0 })
    cache.begin = () => Promise.reject(new Error('Away.'))
    const flight = createSharedFlight({ cache, owner: 'here', makingMs: 1000 })
    expect(await flight.join('k', signal())).toBeUndefined()
    flight.publish('k', answer)
  })
})

function aPair() {
  const cache = createMemoryCache({ now: () => 0 })
  const [here, there] = ['here', 'there'].map((owner) =>
    createSharedFlight({ cache, owner, makingMs: 60_000 }),
  )
  if (here === undefined || there === undefined) throw new TypeError('There are two.')
  return { cache, here, there }
}

function signal(): CallAbort {
  return new CallAbort()
}
