import { setTimeout as pause } from 'node:timers/promises'
import type { AdminEntry, OverrideEntry, ResolveEntry } from '../../core/model/journal.ts'
import type { SharedBus } from '../../core/model/shared/bus.ts'
import { openPostgresStore } from '../store/postgres/postgres-store.ts'
import { readShared } from '../store/postgres/shared-changes.ts'
import { connectFeed, type FeedConnection } from './feed-connection.ts'
import { takeOver, yieldTaken } from './lost-nodes.ts'
import type { NodeMoney } from './node-money.ts'
import {
  isSettled,
  leaveSettlement,
  progressOf,
  type SettledElsewhere,
  takeSettlements,
  tidySettlements,
  withdraw,
} from './settlements.ts'

/**
 * Messages between nodes through one Postgres database: changes of keys, teams and limits, which are stored, and bus
 * messages, which are not.
 */
export interface ChangeFeed extends AsyncDisposable {
  /** Sends a bus message at once, if the database is reachable. */
  readonly bus: SharedBus
  /**
   * Resolves when all stored changes were applied, or the database is unreachable: with the reason. After that it polls.
   */
  begin(): Promise<{ readonly failure: unknown } | undefined>
  /** Settles a call at the node that counts it, or here if that node is gone. Rejects if the database is unreachable. */
  settle(entry: ResolveEntry): Promise<SettledElsewhere>
}

export type FeedParts = {
  readonly databaseUrl: string
  /** This node's id in the store. */
  readonly node: string
  /** Applies a change of this node or another; it may already be applied. */
  readonly apply: (entry: AdminEntry | OverrideEntry) => void
  /** The money of this node. Undefined: it is shared elsewhere, and outlasts its node. */
  readonly money: NodeMoney | undefined
  /** Called when the database becomes unreachable, and when it is reachable again. */
  readonly report: (trouble: unknown) => void
}

export function openChangeFeed(parts: FeedParts): ChangeFeed {
  return new PostgresFeed(parts)
}

class PostgresFeed implements ChangeFeed {
  readonly bus: SharedBus
  readonly #parts: FeedParts
  readonly #topics = new Map<string, Set<Subscriber>>()
  #connection: FeedConnection | undefined
  #version = 0
  #beatAt = 0
  #failure: { readonly failure: unknown } | undefined
  #isClosed = false
  #timer: NodeJS.Timeout | undefined
  #turn: Promise<void> = Promise.resolve()

  constructor(parts: FeedParts) {
    this.#parts = parts
    this.bus = {
      publish: (topic, text) => this.#publish(topic, text),
      subscribe: (topic, listener, missed) => this.#subscribe(topic, { listener, missed }),
    }
  }

  async begin() {
    await this.#next()
    return this.#failure
  }

  async settle(entry: ResolveEntry): Promise<SettledElsewhere> {
    const connection = this.#connection
    const { node, money } = this.#parts
    if (money === undefined) return 'unknown'
    if (connection === undefined || connection.isLost) throw new Error('The database is unreachable.')
    if (!(await leaveSettlement(connection, entry)))
      return (await isSettled(connection, entry.id)) === false ? 'pending' : 'unknown'
    await connection.ask('select pg_notify($1, $2)', [channel, '[]'])
    this.#beatAt = 0
    await this.#next()
    if ((await progressOf(connection, node, money, entry.id)) === 'settled') return 'settled'
    const until = performance.now() + settleWithinMs
    while (performance.now() < until) {
      if (await isSettled(connection, entry.id)) return 'settled'
      await pause(settleLookMs)
    }
    const outcome = await progressOf(connection, node, money, entry.id)
    return outcome === 'unknown' ? await withdraw(connection, entry.id) : outcome
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    const timer = new AbortController()
    // A database that does not answer does not hold up the end.
    await Promise.race([this.#leave(), pause(endWithinMs, undefined, timer).catch(() => undefined)])
    timer.abort()
    await this.#connection?.[Symbol.asyncDispose]()
  }

  async #leave(): Promise<void> {
    await this.#turn
    // Known owners need no look-up.
    await this.#connection
      ?.ask('delete from nodes where node = $1', [this.#parts.node])
      .catch(() => undefined)
  }

  #publish(topic: string, text: string): void {
    const whole = JSON.stringify([topic, text])
    // Postgres limits the payload: for a larger one, the others read the new changes at once.
    const payload = Buffer.byteLength(whole) < mostBytes ? whole : '[]'
    void this.#connection?.ask('select pg_notify($1, $2)', [channel, payload]).catch(() => undefined)
  }

  #subscribe(topic: string, subscriber: Subscriber): () => void {
    const subscribers = this.#topics.get(topic) ?? new Set()
    this.#topics.set(topic, subscribers.add(subscriber))
    return () => void subscribers.delete(subscriber)
  }

  #receive(payload: string): void {
    const [topic, text] = JSON.parse(payload) as [topic?: string, text?: string]
    if (topic === undefined || text === undefined) this.#soon(0)
    else for (const { listener } of [...(this.#topics.get(topic) ?? [])]) listener(text)
  }

  #soon(ms: number): void {
    if (this.#isClosed) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#next(), ms)
    this.#timer.unref()
  }

  /** Reads are serialised, however often they are requested. */
  #next(): Promise<void> {
    this.#turn = this.#turn.then(() => this.#look())
    return this.#turn
  }

  async #look(): Promise<void> {
    if (this.#isClosed) return
    try {
      const connection = await this.#connected()
      await this.#read(connection)
      const { node, money } = this.#parts
      if (money !== undefined) await takeSettlements(connection, node, money)
      await this.#beat(connection)
      this.#report(undefined)
      this.#soon(lookEveryMs)
    } catch (thrown) {
      const lost = this.#connection
      this.#connection = undefined
      await lost?.[Symbol.asyncDispose]()
      this.#report(thrown)
      this.#soon(retryMs)
    }
  }

  async #connected(): Promise<FeedConnection> {
    if (this.#connection !== undefined && !this.#connection.isLost) return this.#connection
    await this.#connection?.[Symbol.asyncDispose]()
    const { databaseUrl } = this.#parts
    // The first node creates the schema.
    await using store = openPostgresStore(databaseUrl)
    await store.migrate()
    this.#connection = await connectFeed(databaseUrl, channel, (payload) => this.#receive(payload))
    for (const { missed } of [...this.#topics.values()].flatMap((all) => [...all])) missed?.()
    return this.#connection
  }

  async #read({ ask }: FeedConnection): Promise<void> {
    for (;;) {
      const rows = await ask<SharedRow>(readShared, [this.#version])
      for (const { version, body } of rows) {
        this.#version = Number(version)
        this.#parts.apply(JSON.parse(body) as AdminEntry | OverrideEntry)
      }
      if (rows.length === 0) return
    }
  }

  /** Writes this node's heartbeat, and looks for dead nodes. */
  async #beat(connection: FeedConnection): Promise<void> {
    const now = performance.now()
    if (now < this.#beatAt) return
    this.#beatAt = now + beatEveryMs
    const { node, money } = this.#parts
    await connection.ask(seen, [node])
    await tidySettlements(connection, Date.now())
    if (money === undefined) return
    await yieldTaken(connection, node, money)
    await takeOver(connection, node, money)
  }

  #report(trouble: unknown): void {
    const hadFailed = this.#failure !== undefined
    this.#failure = trouble === undefined ? undefined : { failure: trouble }
    if (hadFailed !== (trouble !== undefined)) this.#parts.report(trouble)
  }
}

type Subscriber = { readonly listener: (text: string) => void; readonly missed: (() => void) | undefined }

type SharedRow = { readonly version: string; readonly body: string }

const channel = 'pandotate_gateway'
const mostBytes = 7900
const lookEveryMs = 500
const retryMs = 2000
const settleWithinMs = 2000
const settleLookMs = 50
const beatEveryMs = 10_000
const endWithinMs = 2000

const seen = 'insert into nodes (node) values ($1) on conflict (node) do update set seen = now()'
