import { afterAll, beforeAll, describe } from 'vitest'
import type { Shared } from '../../../../src/main/shared.ts'
import { createMemoryState } from '../../../../src/state/memory.ts'
import { createMemoryBus } from '../../../../src/state/memory-bus.ts'
import { createMemoryCache } from '../../../../src/state/memory-cache.ts'
import { describeSharedAnswers, type SharedAnswersStage } from '../../../contracts/shared-answers.ts'
import { noRedis, type RedisServer, startRedis } from '../../../harness/redis-server.ts'
import { newPrefix, openNode } from '../../../state/redis/nodes.ts'

const clock = { now: () => performance.now(), epochMs: () => Date.now() }

describeSharedAnswers({
  name: 'one memory',
  async open() {
    const cache = createMemoryCache(clock)
    return stageOf([
      { cache, owner: 'here' },
      { cache, owner: 'there' },
    ])
  },
})

describe.skipIf(noRedis !== undefined)(
  `over Redis${noRedis === undefined ? '' : ` (skipped: ${noRedis})`}`,
  () => {
    let server: RedisServer

    beforeAll(async () => {
      server = await startRedis()
    })

    afterAll(async () => {
      await server[Symbol.asyncDispose]()
    })

    describeSharedAnswers({
      name: 'one Redis',
      async open() {
        const prefix = newPrefix()
        const nodes = [await openNode([server.url], { prefix }), await openNode([server.url], { prefix })]
        return stageOf(nodes, async () => {
          for (const node of nodes) await node[Symbol.asyncDispose]()
        })
      },
    })
  },
)

function stageOf(
  nodes: readonly Pick<Shared, 'cache' | 'owner'>[],
  close: () => Promise<void> = async () => {},
): SharedAnswersStage {
  const [here, there] = nodes.map(({ cache, owner }): Shared => {
    const state = createMemoryState(clock)
    return {
      ...{
        state,
        cache,
        owner,
        places: undefined,
        bus: createMemoryBus(),
        money: state.money,
        report: undefined,
      },
      isAlone: false,
      async [Symbol.asyncDispose]() {},
    }
  })
  if (here === undefined || there === undefined) throw new TypeError('There are two processes.')
  return {
    shared: [here, there],
    lose: () => there.cache.abandon(here.owner),
    [Symbol.asyncDispose]: close,
  }
}
