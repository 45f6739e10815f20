import { afterAll, beforeAll, describe } from 'vitest'
import { describeBus } from '../../contracts/bus.ts'
import { describePools } from '../../contracts/pools.ts'
import { describeSharedCache } from '../../contracts/shared-cache.ts'
import { describeState, type Subject } from '../../contracts/state.ts'
import { noRedis, type RedisServer, startRedis } from '../../harness/redis-server.ts'
import { newPrefix, openNode } from './nodes.ts'

let server: RedisServer

describe.skipIf(noRedis !== undefined)(
  `over Redis${noRedis === undefined ? '' : ` (skipped: ${noRedis})`}`,
  () => {
    beforeAll(async () => {
      server = await startRedis()
    })

    afterAll(async () => {
      await server[Symbol.asyncDispose]()
    })

    const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

    const subject: Subject = {
      name: 'Redis',
      async open() {
        const node = await openNode([server.url])
        return { state: node.state, pass: wait, [Symbol.asyncDispose]: () => node[Symbol.asyncDispose]() }
      },
    }

    describeState(subject)
    describePools(subject)

    describeSharedCache({
      name: 'Redis',
      async open() {
        const prefix = newPrefix()
        const [node, other] = [
          await openNode([server.url], { prefix }),
          await openNode([server.url], { prefix }),
        ]
        return {
          cache: node.cache,
          other: other.cache,
          pass: wait,
          async [Symbol.asyncDispose]() {
            await node[Symbol.asyncDispose]()
            await other[Symbol.asyncDispose]()
          },
        }
      },
    })

    describeBus({
      name: 'Redis',
      async open() {
        const prefix = newPrefix()
        const [node, other] = [
          await openNode([server.url], { prefix }),
          await openNode([server.url], { prefix }),
        ]
        return {
          bus: node.bus,
          other: other.bus,
          async [Symbol.asyncDispose]() {
            await node[Symbol.asyncDispose]()
            await other[Symbol.asyncDispose]()
          },
        }
      },
    })
  },
)
