import { randomBytes } from 'node:crypto'
import type { SharedBus } from '../../core/model/shared/bus.ts'
import type { SharedCache } from '../../core/model/shared/cache.ts'
import type { OpenHold, SharedState } from '../../core/model/shared/state.ts'
import { createMemoryBus } from '../memory-bus.ts'
import type { RedisSettings } from './connect.ts'
import { createConnection, type RedisConnection, type Reply, type Script } from './connection.ts'
import { createLeases, type Leases } from './leases.ts'
import { abandonScript } from './money-scripts.ts'
import {
  beatScript,
  helloScript,
  leaseScript,
  leaveScript,
  reportScript,
  restoreScript,
} from './node-scripts.ts'
import { createNodeView } from './node-view.ts'
import { createOutbox } from './outbox.ts'
import { createRedisBus } from './redis-bus.ts'
import { createRedisCache, type RedisCache } from './redis-cache.ts'
import { createRedisState } from './redis-state.ts'
import { holdsOf, listOf, textsOf } from './replies.ts'
import { createSlices } from './slices.ts'
import { createSolo, type OnLoss, type Solo } from './solo.ts'

/** The state that several nodes share in Redis, and this node's membership. */
export interface RedisShared extends AsyncDisposable {
  readonly state: SharedState
  readonly cache: SharedCache
  readonly bus: SharedBus
  report(): RedisReport
}

export type RedisReport = {
  readonly isUp: boolean
  /** Why it is unavailable; undefined while it is up. */
  readonly reason: string | undefined
  readonly losses: number
  readonly latencyMs: number
  /** Including this one, as far as it knows. */
  readonly nodes: number
  readonly leasedNanoUsd: number
  /** Reports that Redis has not received yet. */
  readonly untold: number
}

export type RedisEvents = {
  readonly up: (nodes: number) => void
  readonly down: (reason: string) => void
  /** Another node has died, and this one has settled its holds. */
  readonly swept: (owner: string, holds: readonly OpenHold[]) => void
}

export type RedisParts = {
  readonly settings: RedisSettings
  /** This process, as its holds name it. */
  readonly owner: string
  readonly onLoss: OnLoss
  /** The share of a limit that may be leased, over all nodes. */
  readonly leasePart: number
  /** A node that is silent for this long counts as dead. */
  readonly goneAfterMs: number
  readonly now: () => number
  /** How long a counter is kept after it was created; 0: forever. */
  readonly keepMs: (counter: string) => number
  readonly events: RedisEvents
}

/** Opens it. If Redis is unavailable, it starts without, and keeps trying. */
export async function openRedis(parts: RedisParts): Promise<RedisShared> {
  const node = new Node(parts)
  await node.open()
  return node
}

class Node implements RedisShared {
  readonly state: SharedState
  readonly cache: RedisCache
  readonly bus: ReturnType<typeof createRedisBus>
  readonly #parts: RedisParts
  readonly #connection: RedisConnection
  readonly #base: string
  readonly #outbox: ReturnType<typeof createOutbox>
  readonly #slices: ReturnType<typeof createSlices>
  readonly #leases: Leases
  readonly #view: ReturnType<typeof createNodeView>
  #solo: Solo | undefined
  #generation = 0
  #data: string | undefined
  #nodes = 1
  #upAt = 0
  #heartbeat: NodeJS.Timeout | undefined
  #stale: readonly (readonly string[])[] = []

  constructor(parts: RedisParts) {
    const { settings, now, owner, keepMs } = parts
    this.#parts = parts
    this.#base = `{${settings.prefix}}:`
    this.#connection = createConnection({
      ...{ settings, now },
      handshake: (run) => this.#handshake(run),
      onUp: () => this.#reconnected(),
      onDown: (reason) => this.#connectionLost(reason),
      onMessage: (channel, text) => this.bus.receive(channel, text),
    })
    this.#view = createNodeView(now)
    this.#slices = createSlices(now)
    this.#leases = createLeases({
      act: (args) => this.#act(leaseScript, args),
      ...{ slices: this.#slices, view: this.#view, now, keepMs },
      leasePart: parts.onLoss === 'local' ? parts.leasePart : undefined,
      askOthers: (counters) => this.bus.publish(recallTopic, JSON.stringify([owner, ...counters])),
    })
    this.#outbox = createOutbox({
      send: (number, field, steps) => this.#act(reportScript, [number, field, ...steps.flat()]),
      keepMs,
      noteSpent: (field, counter, nanoUsd) => this.#view.noteSpent(field, counter, nanoUsd),
    })
    this.#solo = this.#startSolo()
    this.state = createRedisState({
      act: (script, args) => this.#act(script, args),
      ...{ outbox: this.#outbox, slices: this.#slices, view: this.#view, keepMs },
      solo: () => this.#solo,
      recallLeases: (counters) => this.#leases.recall(counters),
      pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    })
    this.bus = createRedisBus({
      connection: this.#connection,
      prefix: settings.prefix,
      local: createMemoryBus(),
    })
    this.cache = createRedisCache({
      ...{ owner, connection: this.#connection, clock: { now } },
      prefix: settings.prefix,
      listen: (channel, listener) => this.bus.listen(channel, listener),
    })
    this.bus.subscribe(recallTopic, (text) => {
      const [by = '', ...counters] = JSON.parse(text) as string[]
      if (by !== owner) void this.#leases.giveBack(counters)
    })
  }

  async open(): Promise<void> {
    await this.#connection.open(firstWaitMs)
    this.#heartbeat = setInterval(() => void this.#keepAlive(), beatMs)
    this.#heartbeat.unref()
  }

  report(): RedisReport {
    const { isUp, reason, losses, latencyMs } = this.#connection
    return {
      ...{ isUp, reason, losses, latencyMs, nodes: this.#nodes },
      leasedNanoUsd: this.#slices.totalNanoUsd,
      untold: this.#outbox.size,
    }
  }

  /** Pending reports are sent first, if there is a connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#heartbeat)
    if (this.#connection.isUp) {
      this.#outbox.flush()
      const timedOut = new Promise((resolve) => setTimeout(resolve, lastWaitMs).unref())
      await Promise.race([this.#outbox.delivered(), timedOut])
      await this.#act(leaveScript, []).catch(() => {})
    }
    await this.#connection[Symbol.asyncDispose]()
  }

  async #act(script: Script, args: readonly (string | number)[]): Promise<Reply> {
    return await this.#connection.run(script, [this.#base], this.#signed(script, args))
  }

  /** Changes name their process and connection: a later connection makes them void. */
  #signed(script: Script, args: readonly (string | number)[]): readonly (string | number)[] {
    return unsigned.has(script.name) ? args : [this.#parts.owner, this.#generation, ...args]
  }

  #startSolo(): Solo {
    const { onLoss, owner, now } = this.#parts
    return createSolo({
      ...{ onLoss, owner, now, nodes: this.#nodes },
      ...{ outbox: this.#outbox, view: this.#view, slices: this.#slices },
      reason: () => this.#connection.reason ?? 'lost',
    })
  }

  /** Before the node counts as connected: reads its state in Redis, and restores what Redis has lost. */
  async #handshake(run: RedisConnection['run']): Promise<void> {
    const { owner } = this.#parts
    this.#generation++
    const act = (script: Script, args: readonly (string | number)[]) =>
      run(script, [this.#base], [owner, this.#generation, ...args])
    const [data, holds, leases] = listOf(await act(helloScript, [randomBytes(8).toString('hex')]))
    const hasLostData = this.#data !== undefined && this.#data !== data
    await this.#restore(act, hasLostData)
    if (hasLostData) this.#outbox.markUncertain()
    this.#data = String(data)
    // A step without an answer may have been executed.
    this.#stale = [
      textsOf(holds).filter((id) => !this.#view.holds.has(id) && !this.#outbox.includes('T', id)),
      textsOf(leases).filter((id) => !this.#view.leases.has(id) && !this.#outbox.includes('L', id)),
    ]
    this.#restoresHolds = hasLostData
  }

  #restoresHolds = false

  /** A server that took over may be slightly behind, and one that restarted may be empty. */
  async #restore(act: Act, hasLostData: boolean): Promise<void> {
    const counters = this.#view.counters()
    for (let at = 0; at < counters.length; at += 500) {
      const args = counters
        .slice(at, at + 500)
        .flatMap(({ counter, s, m, u }) => [
          ...[counter, s, m, hasLostData ? u : 0, this.#parts.keepMs(counter)],
        ])
      await act(restoreScript, args)
    }
  }

  #reconnected(): void {
    const { owner, now, events } = this.#parts
    const [holds = [], leases = []] = this.#stale
    this.#outbox.noteReconnect(this.#connection.losses > 0)
    if (this.#restoresHolds) {
      for (const [id, parts] of this.#view.holds) {
        void this.#outbox.push(['F', id, this.#view.ownerOf(id) ?? owner, parts.size, ...[...parts].flat()])
      }
      for (const { id, owner: whose, slots } of this.#view.leases.values()) {
        void this.#outbox.push(['P', id, whose, slots.length, ...slots])
      }
    }
    for (const id of holds) void this.#outbox.push(['S', id, 0])
    for (const id of leases) void this.#outbox.push(['L', id])
    this.#solo?.rejoin()
    this.#solo = undefined
    this.#upAt = now()
    this.#outbox.flush()
    this.cache.reconnected()
    this.bus.reconnected()
    events.up(this.#nodes)
    void this.#keepAlive()
  }

  #connectionLost(reason: string): void {
    this.#solo = this.#startSolo()
    this.#outbox.lost()
    this.#parts.events.down(reason)
  }

  async #keepAlive(): Promise<void> {
    const { goneAfterMs, now } = this.#parts
    if (!this.#connection.isUp) return
    try {
      const [nodes, silent] = listOf(await this.#act(beatScript, [goneAfterMs]))
      this.#nodes = Math.max(1, Number(nodes))
      // If Redis was unavailable for all nodes, the others need time to reconnect.
      if (now() - this.#upAt > goneAfterMs) {
        this.#outbox.endLate()
        for (const owner of textsOf(silent)) await this.#sweep(owner)
      }
      await this.#leases.renew(this.#nodes)
    } catch {
      // The connection reports the failure itself.
    }
  }

  async #sweep(owner: string): Promise<void> {
    // First, because a node counts as swept once its money is abandoned: then nothing is tried again.
    await this.cache.abandon(owner)
    const reply = await this.#act(abandonScript, [owner, 'node'])
    if (reply === null) return
    this.#parts.events.swept(owner, holdsOf(reply))
  }
}

type Act = (script: Script, args: readonly (string | number)[]) => Promise<Reply>

const unsigned: ReadonlySet<string> = new Set(['read', 'readRates', 'holds'])

/** The bus topic on which nodes are asked to return their leases. */
const recallTopic = 'leases'

const beatMs = 1000
/** The longest that a start waits for Redis. */
const firstWaitMs = 3000
const lastWaitMs = 2000
