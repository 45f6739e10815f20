import type { SharedBus } from '../../core/model/shared/bus.ts'
import { createMemoryBus } from '../memory-bus.ts'
import type { Peer } from './peer.ts'

/** The bus of a gateway with a primary, which forwards messages to subscribers only. */
export function createPrimaryBus(primary: Peer): SharedBus {
  const here = createMemoryBus()
  const subscribers = new Map<string, number>()
  primary.serve({ 'bus.hear': (topic: string, text: string) => here.publish(topic, text) })
  const count = (topic: string, by: number) => {
    const before = subscribers.get(topic) ?? 0
    if (before + by > 0) subscribers.set(topic, before + by)
    else subscribers.delete(topic)
    if (before === 0) primary.tell('bus.subscribe', topic)
    else if (before + by === 0) primary.tell('bus.leave', topic)
  }
  return {
    publish: (topic, text) => primary.tell('bus.publish', topic, text),
    subscribe(topic, hear) {
      const leave = here.subscribe(topic, hear)
      count(topic, 1)
      let hasLeft = false
      return () => {
        leave()
        if (!hasLeft) count(topic, -1)
        hasLeft = true
      }
    },
  }
}
