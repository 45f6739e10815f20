import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CallAbort } from '../../../src/core/model/call-signal.ts'
import { Failure } from '../../../src/core/model/failure.ts'
import { createPeer, type Frame, type Peer } from '../../../src/state/primary/peer.ts'
import { createPrimaryBus } from '../../../src/state/primary/primary-bus.ts'
import { createPrimaryCache } from '../../../src/state/primary/primary-cache.ts'
import { createPrimaryState } from '../../../src/state/primary/primary-state.ts'
import { describeBus } from '../../contracts/bus.ts'
import { describePools } from '../../contracts/pools.ts'
import { describeSharedCache } from '../../contracts/shared-cache.ts'
import { describeState, type Subject } from '../../contracts/state.ts'

let primary: ChildProcess
let lastStage = 0

beforeAll(() => {
  const path = fileURLToPath(new URL('primary-process.ts', import.meta.url))
  primary = fork(path, { serialization: 'advanced', execArgv: [] })
  primary.setMaxListeners(0)
})

afterAll(() => primary.disconnect())

const name = 'a primary process'

const subject: Subject = {
  name,
  async open() {
    const [here] = openStage()
    return { state: createPrimaryState(here), ...timeOf(here) }
  },
}

describeState(subject)
describePools(subject)

describeSharedCache({
  name,
  async open() {
    const [here, there] = openStage()
    return { cache: createPrimaryCache(here), other: createPrimaryCache(there), ...timeOf(here) }
  },
})

describeBus({
  name,
  async open() {
    const [here, there] = openStage()
    return { bus: createPrimaryBus(here), other: createPrimaryBus(there), ...timeOf(here) }
  },
})

describe('a peer', () => {
  test('sends what is said within a turn as one message, in order', async () => {
    const sent: (readonly Frame[])[] = []
    const peer = createPeer({ send: (frames) => void sent.push(frames), receive() {} })
    peer.tell('one')
    void peer.ask('two', 2)
    await Promise.resolve()
    peer.tell('three')
    await new Promise(setImmediate)
    expect(sent).toEqual([
      [
        [0, 'one'],
        [1, 'two', 2],
        [0, 'three'],
      ],
    ])
  })

  test('sends at the end of the task what somebody waits for', async () => {
    const sent: (readonly Frame[])[] = []
    const peer = createPeer({ send: (frames) => void sent.push(frames), receive() {} })
    void peer.ask('one')
    peer.hurry()
    await Promise.resolve()
    expect(sent).toEqual([[[1, 'one']]])
  })

  test('adds up what is charged within a turn', async () => {
    const sent: (readonly Frame[])[] = []
    const peer = createPeer({ send: (frames) => void sent.push(frames), receive() {} })
    const state = createPrimaryState(peer)
    void state.charge([{ counter: 'a', spentNanoUsd: 1 }])
    void state.charge([
      { counter: 'a', spentNanoUsd: 2 },
      { counter: 'b', spentNanoUsd: 5 },
    ])
    await new Promise(setImmediate)
    void state.charge([{ counter: 'a', spentNanoUsd: 7 }])
    await new Promise(setImmediate)
    const charged = (...sums: readonly (readonly [string, number])[]) =>
      sums.map(([counter, spentNanoUsd]) => ({ counter, spentNanoUsd }))
    expect(sent).toEqual([
      [[1, 'state.charge', charged(['a', 3], ['b', 5])]],
      [[2, 'state.charge', charged(['a', 7])]],
    ])
  })

  test('whose process is gone answers nothing, and says so', async () => {
    const peer = createPeer({ send() {}, receive() {} })
    const asked = peer.ask('one')
    peer.end()
    await expect(asked).rejects.toMatchObject({ kind: 'interrupted' })
    await expect(peer.ask('two')).rejects.toMatchObject({ kind: 'interrupted' })
  })

  test('passes a failure on with all that an answer needs of it', async () => {
    const [here, there] = pair()
    const failure = new Failure('limit_reached', 'Wait.', {
      retryAfterMs: 5,
      headers: { 'x-pandotate-limit': 'rpm' },
      shown: { type: 'requests' },
    })
    there.serve({
      refuse() {
        throw failure
      },
    })
    const thrown = await here.ask('refuse').catch((error: unknown) => error)
    expect(thrown).toBeInstanceOf(Failure)
    const { kind, message, status, type, code, headers, retryAfterMs } = failure
    expect(thrown).toMatchObject({ kind, message, status, type, code, headers, retryAfterMs })
  })

  test('who follows an answer at a process that is gone is told so', async () => {
    const peer = createPeer({ send() {}, receive() {} })
    const pieces = createPrimaryCache(peer).follow('a', new CallAbort())[Symbol.asyncIterator]()
    const next = pieces.next()
    peer.end()
    await expect(next).rejects.toMatchObject({ kind: 'interrupted' })
  })
})

function openStage(): readonly [Peer, Peer] {
  const stage = ++lastStage
  return [peerOf(stage, 0), peerOf(stage, 1)]
}

function peerOf(stage: number, worker: number): Peer {
  return createPeer({
    send: (frames) => void primary.send([stage, worker, frames]),
    receive: (take) =>
      void primary.on('message', ([of, to, frames]: readonly [number, number, readonly Frame[]]) => {
        if (of === stage && to === worker) take(frames)
      }),
  })
}

function timeOf(peer: Peer) {
  return {
    pass: async (ms: number) => void (await peer.ask('pass', ms)),
    async [Symbol.asyncDispose]() {},
  }
}

/** Two ends of one process. */
function pair(): readonly [Peer, Peer] {
  const takers: ((frames: readonly Frame[]) => void)[] = []
  const channelTo = (other: number) => ({
    send: (frames: readonly Frame[]) => takers[other]?.(frames),
    receive: (take: (frames: readonly Frame[]) => void) => void takers.push(take),
  })
  return [createPeer(channelTo(1)), createPeer(channelTo(0))]
}
