import { expect, test } from 'vitest'
import { Failure } from '../../../src/core/model/failure.ts'
import type { ResponseStorage } from '../../../src/core/model/response-storage.ts'
import { createMemoryResponses } from '../../../src/core/reuse/memory-responses.ts'
import { type Channel, createPeer, type Frame } from '../../../src/state/primary/peer.ts'
import { createPrimaryResponses, serveResponses } from '../../../src/state/primary/primary-responses.ts'
import { describeResponseStorage } from '../../contracts/response-storage.ts'

describeResponseStorage({
  name: 'a primary process',
  async open(bounds) {
    const clock = { at: 0 }
    const storage = askedFor(createMemoryResponses({ now: () => clock.at }, bounds))
    return { storage, clock, async [Symbol.asyncDispose]() {} }
  },
})

test('a worker hears why the primary cannot be asked, and fails no call for what is not kept', async () => {
  const away = () => Promise.reject(new Failure('internal', 'Away.', { code: 'store_unavailable' }))
  const storage = askedFor({ put: away, find: away, recall: away, remove: away })
  const response = { id: 'a', previousId: undefined, text: '', itemIds: [], bytes: 1, nodes: 1 }
  await storage.put('t', response)
  await expect(storage.find('t', 'a')).rejects.toMatchObject({ code: 'store_unavailable' })
})

/** As a worker has it whose primary has this one. */
function askedFor(storage: ResponseStorage): ResponseStorage {
  const [here, there] = channels()
  serveResponses(createPeer(there), storage)
  return createPrimaryResponses(createPeer(here))
}

/** Two ends, of which each gets what the other sends as another process would. */
function channels(): readonly [Channel, Channel] {
  const takers: ((frames: readonly Frame[]) => void)[] = []
  const end = (own: 0 | 1): Channel => ({
    send: (frames) => setImmediate(() => takers[1 - own]?.(structuredClone(frames))),
    receive(take) {
      takers[own] = take
    },
  })
  return [end(0), end(1)]
}
