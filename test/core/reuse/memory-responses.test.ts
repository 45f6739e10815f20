import { createMemoryResponses } from '../../../src/core/reuse/memory-responses.ts'
import { describeResponseStorage } from '../../contracts/response-storage.ts'

describeResponseStorage({
  name: 'memory',
  async open(bounds) {
    const clock = { at: 0 }
    const storage = createMemoryResponses({ now: () => clock.at }, bounds)
    return { storage, clock, async [Symbol.asyncDispose]() {} }
  },
})
