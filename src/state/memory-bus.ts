import type { SharedBus } from '../core/model/shared/bus.ts'

/** The bus of a single-process gateway. As between processes, delivery is asynchronous. */
export function createMemoryBus(): SharedBus {
  const topics = new Map<string, Set<Subscriber>>()
  return {
    publish(topic, text) {
      queueMicrotask(() => {
        for (const { listener } of [...(topics.get(topic) ?? [])]) listener(text)
      })
    },
    subscribe(topic, listener) {
      const subscriber: Subscriber = { listener }
      const subscribers = topics.get(topic) ?? new Set()
      topics.set(topic, subscribers.add(subscriber))
      return () => {
        subscribers.delete(subscriber)
        if (subscribers.size === 0 && topics.get(topic) === subscribers) topics.delete(topic)
      }
    },
  }
}

/** The same function may be subscribed twice. */
type Subscriber = { readonly listener: (text: string) => void }
