import { createMemoryResponses } from '../../../src/core/reuse/memory-responses.ts'
import { describeResponseShelf } from '../../contracts/response-shelf.ts'

describeResponseShelf({
  name: 'memory',
  async open(bounds) {
    const clock = { at: 0 }
    const shelf = createMemoryResponses({ now: () => clock.at }, bounds)
    return { shelf, clock, async [Symbol.asyncDispose]() {} }
  },
})
