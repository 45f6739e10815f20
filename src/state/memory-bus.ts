import type { SharedBus } from '../core/model/shared/bus.ts'

/** The bus of a single-process gateway. As between processes, a publisher continues before anything is delivered. */
export function createMemoryBus(): SharedBus {
  const topics = new Map<string, Set<Subscriber>>()
  return {
    publish(topic, text) {
      queueMicrotask(() => {
        for (const { hear } of [...(topics.get(topic) ?? [])]) hear(text)
      })
    },
    subscribe(topic, hear) {
      const subscriber: Subscriber = { hear }
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
type Subscriber = { readonly hear: (text: string) => void }
