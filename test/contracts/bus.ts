import { describe, expect, test } from 'vitest'
import type { SharedBus } from '../../src/core/model/shared/bus.ts'

/** A shared bus that the suite is run on. */
export type BusSubject = {
  readonly name: string
  open(): Promise<BusStage>
}

export type BusStage = AsyncDisposable & {
  readonly bus: SharedBus
  /** The bus as used by another process; the same object if there is only one process. */
  readonly other: SharedBus
}

/** Runs the suite that every shared bus has to pass. */
export function describeBus({ name, open }: BusSubject): void {
  describe(`the bus in ${name}`, () => {
    test('a message reaches every process, in the order of its publisher', async () => {
      await using stage = await open()
      const [here, there] = [listenOn(stage.bus, 'keys'), listenOn(stage.other, 'keys')]
      await ready(stage)
      for (const text of ['1', '2', '', 'd\u00e4r \u{1f600}']) stage.bus.publish('keys', text)
      stage.bus.publish('keys', 'last')
      await here.until('last')
      await there.until('last')
      const all = ['1', '2', '', 'd\u00e4r \u{1f600}', 'last']
      expect([here.heard, there.heard]).toEqual([all, all])
    })

    test('but not subscribers of other topics, nor former subscribers', async () => {
      await using stage = await open()
      const [left, stays, elsewhere] = [
        listenOn(stage.bus, 'keys'),
        listenOn(stage.bus, 'keys'),
        listenOn(stage.other, 'health'),
      ]
      await ready(stage)
      left.leave()
      stage.other.publish('keys', 'last')
      stage.other.publish('health', 'ill')
      await stays.until('last')
      await elsewhere.until('ill')
      expect([left.heard, stays.heard, elsewhere.heard]).toEqual([[], ['last'], ['ill']])
    })

    test('a publisher continues before anything is delivered', async () => {
      await using stage = await open()
      const listener = listenOn(stage.bus, 'keys')
      await ready(stage)
      stage.bus.publish('keys', 'last')
      expect(listener.heard).toEqual([])
      await listener.until('last')
    })
  })
}

function listenOn(bus: SharedBus, topic: string) {
  const heard: string[] = []
  let wake = () => {}
  const leave = bus.subscribe(topic, (text) => {
    heard.push(text)
    wake()
  })
  return {
    heard,
    leave,
    async until(text: string) {
      while (!heard.includes(text)) await new Promise<void>((resolve) => (wake = resolve))
    },
  }
}

/** Subscriptions reach an engine asynchronously: once one works, earlier ones do too. */
async function ready({ bus, other }: BusStage): Promise<void> {
  for (const each of [bus, other]) {
    const probe = listenOn(each, 'probe')
    const timer = setInterval(() => each.publish('probe', 'here'), 10)
    each.publish('probe', 'here')
    await probe.until('here')
    clearInterval(timer)
    probe.leave()
  }
}
