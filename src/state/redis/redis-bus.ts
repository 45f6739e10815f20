import type { SharedBus } from '../../core/model/shared/bus.ts'
import type { RedisConnection } from './connection.ts'
import { publishScript } from './text-scripts.ts'

/** The bus over Redis, and the events of its connection. */
export interface RedisBus extends SharedBus {
  receive(channel: string, text: string): void
  /** Subscribes to a channel that belongs to no topic. */
  listen(channel: string, listener: () => void): () => void
  /** To be called after a reconnect: messages published meanwhile were missed. */
  reconnected(): void
}

export type RedisBusParts = {
  readonly connection: RedisConnection
  readonly prefix: string
  /** Delivers messages within the process while Redis is unavailable. */
  readonly local: SharedBus
}

export function createRedisBus({ connection, prefix, local }: RedisBusParts): RedisBus {
  const subscribers = new Map<string, Set<Subscriber>>()
  const channelOf = (topic: string) => `${prefix}:bus:${topic}`
  const subscribe = (channel: string, subscriber: Subscriber) => {
    const known = subscribers.get(channel) ?? new Set()
    if (known.size === 0) connection.subscribe(channel)
    subscribers.set(channel, known.add(subscriber))
    return () => {
      if (!known.delete(subscriber)) return
      subscriber.leave()
      if (known.size > 0 || subscribers.get(channel) !== known) return
      subscribers.delete(channel)
      connection.unsubscribe(channel)
    }
  }
  return {
    publish(topic, text) {
      if (!connection.isUp) return local.publish(topic, text)
      // In a cluster always through the same server, to keep the order.
      connection.run(publishScript, [`{${prefix}}:bus`], [channelOf(topic), text]).catch(() => {})
    },
    subscribe: (topic, listener, missed = () => {}) =>
      subscribe(channelOf(topic), { listener, missed, leave: local.subscribe(topic, listener) }),
    listen: (channel, listener) => subscribe(channel, { listener, missed: listener, leave() {} }),
    receive(channel, text) {
      for (const { listener } of [...(subscribers.get(channel) ?? [])]) listener(text)
    },
    reconnected() {
      for (const known of [...subscribers.values()]) for (const { missed } of [...known]) missed()
    },
  }
}

type Subscriber = {
  readonly listener: (text: string) => void
  readonly missed: () => void
  readonly leave: () => void
}
