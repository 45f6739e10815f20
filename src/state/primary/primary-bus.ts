import type { SharedBus } from '../../core/model/shared/bus.ts'
import { createMemoryBus } from '../memory-bus.ts'
import type { Peer } from './peer.ts'

/** The bus of a worker. The primary forwards a message only to subscribed processes. */
export function createPrimaryBus(primary: Peer): SharedBus {
  const here = createMemoryBus()
  const subscribers = new Map<string, number>()
  const gaps = new Map<string, Set<() => void>>()
  primary.serve({
    'bus.hear': (topic: string, text: string) => here.publish(topic, text),
    'bus.missed'(topic: string) {
      for (const missed of [...(gaps.get(topic) ?? [])]) missed()
    },
  })
  const count = (topic: string, by: number) => {
    const before = subscribers.get(topic) ?? 0
    if (before + by > 0) subscribers.set(topic, before + by)
    else subscribers.delete(topic)
    if (before === 0) primary.tell('bus.subscribe', topic)
    else if (before + by === 0) primary.tell('bus.leave', topic)
  }
  return {
    publish: (topic, text) => primary.tell('bus.publish', topic, text),
    subscribe(topic, listener, missed) {
      const leave = here.subscribe(topic, listener)
      const toldOfGaps = gaps.get(topic) ?? new Set()
      if (missed !== undefined) gaps.set(topic, toldOfGaps.add(missed))
      count(topic, 1)
      let hasLeft = false
      return () => {
        leave()
        if (missed !== undefined) toldOfGaps.delete(missed)
        if (!hasLeft) count(topic, -1)
        hasLeft = true
      }
    },
  }
}
