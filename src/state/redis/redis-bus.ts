import type { SharedBus } from '../../core/model/shared/bus.ts'
import type { RedisConnection } from './connection.ts'
import { publishScript } from './text-scripts.ts'

/** The bus over Redis, and the events of its connection. */
export interface RedisBus extends SharedBus {
  heard(channel: string, text: string): void
  /** Receives a channel that belongs to no topic. */
  listen(channel: string, hear: () => void): () => void
  /** Messages published meanwhile were missed. */
  cameBack(): void
}

export type RedisBusParts = {
  readonly connection: RedisConnection
  readonly prefix: string
  /** Delivers messages within the process while Redis is away. */
  readonly alone: SharedBus
}

export function createRedisBus({ connection, prefix, alone }: RedisBusParts): RedisBus {
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
      if (!connection.isUp) return alone.publish(topic, text)
      // In a cluster always over the same server: another might overtake it.
      connection.run(publishScript, [`{${prefix}}:bus`], [channelOf(topic), text]).catch(() => {})
    },
    subscribe: (topic, hear, missed = () => {}) =>
      subscribe(channelOf(topic), { hear, missed, leave: alone.subscribe(topic, hear) }),
    listen: (channel, hear) => subscribe(channel, { hear, missed: hear, leave() {} }),
    heard(channel, text) {
      for (const { hear } of [...(subscribers.get(channel) ?? [])]) hear(text)
    },
    cameBack() {
      for (const known of [...subscribers.values()]) for (const { missed } of [...known]) missed()
    },
  }
}

type Subscriber = {
  readonly hear: (text: string) => void
  readonly missed: () => void
  readonly leave: () => void
}
