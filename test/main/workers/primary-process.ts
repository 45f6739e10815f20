import { createMemoryState } from '../../../src/state/memory.ts'
import { createMemoryBus } from '../../../src/state/memory-bus.ts'
import { createMemoryCache } from '../../../src/state/memory-cache.ts'
import { createPeer, type Frame } from '../../../src/state/primary/peer.ts'
import { serveShared } from '../../../src/state/primary/serve-shared.ts'

/**
 * A primary of its own process, for the contracts: it has a state for each stage, on a clock that continues when it is
 * told to. The two workers of a stage share this one channel, as `[stage, worker, frames]`.
 */
type Message = readonly [stage: number, worker: number, frames: readonly Frame[]]

type Taker = (frames: readonly Frame[]) => void

const stages = new Map<number, readonly Taker[]>()

process.on('message', ([stage, worker, frames]: Message) => {
  const takers = stages.get(stage) ?? openStage(stage)
  stages.set(stage, takers)
  takers[worker]?.(frames)
})

function openStage(stage: number): readonly Taker[] {
  let now = 1_000_000
  const clock = { now: () => now }
  const parts = {
    state: createMemoryState(clock),
    cache: createMemoryCache(clock),
    bus: createMemoryBus(),
  }
  return [0, 1].map((worker) => {
    let taker: Taker = () => {}
    const peer = createPeer({
      send: (frames) => void process.send?.([stage, worker, frames]),
      receive(take) {
        taker = take
      },
    })
    serveShared(peer, parts)
    peer.serve({
      pass(ms: number) {
        now += ms
      },
    })
    return (frames) => taker(frames)
  })
}
