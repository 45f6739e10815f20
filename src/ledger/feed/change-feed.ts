import { setTimeout as pause } from 'node:timers/promises'
import type {
  AdminEntry,
  GrowEntry,
  HoldEntry,
  OverrideEntry,
  ResolveEntry,
} from '../../core/model/journal.ts'
import type { SharedBus } from '../../core/model/shared/bus.ts'
import type { OpenHold } from '../../core/model/shared/state.ts'
import { openPostgresStore } from '../store/postgres/postgres-store.ts'
import { readShared } from '../store/postgres/shared-changes.ts'
import { connectFeed, type FeedConnection } from './feed-connection.ts'
import {
  closeUntaken,
  isSettled,
  leaveSettlement,
  type SettledElsewhere,
  takeSettlements,
  tidySettlements,
} from './settlements.ts'

/**
 * Messages between nodes through one Postgres database: changes of keys, teams and limits, which are stored, and bus
 * messages, which are not.
 */
export interface ChangeFeed extends AsyncDisposable {
  /** Sends a bus message at once, if the database is reachable. */
  readonly bus: SharedBus
  /** Resolves when all stored changes were applied, or the database is unreachable. After that it polls. */
  begin(): Promise<void>
  /** Asks the node of a call to settle it. Rejects if the database is unreachable. */
  settle(entry: ResolveEntry): Promise<SettledElsewhere>
}

export type FeedParts = {
  readonly databaseUrl: string
  /** This node's id in the store. */
  readonly node: string
  /** Applies a change of this node or another; it may already be applied. */
  readonly apply: (entry: AdminEntry | OverrideEntry) => void
  /** Applies the holds of a dead node. Undefined: holds are shared elsewhere and outlast their node. */
  readonly settleLost: ((holds: readonly OpenHold[]) => Promise<void>) | undefined
  /** Settles an uncertain call of this node; false: it has none of this id. Undefined: money is shared elsewhere. */
  readonly settle: ((entry: ResolveEntry) => Promise<boolean>) | undefined
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
  #hasFailed = false
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

  begin(): Promise<void> {
    return this.#next()
  }

  async settle(entry: ResolveEntry): Promise<SettledElsewhere> {
    const connection = this.#connection
    if (connection === undefined || connection.isLost) throw new Error('The database is unreachable.')
    if (!(await leaveSettlement(connection, entry))) return 'unknown'
    await connection.ask('select pg_notify($1, $2)', [channel, '[]'])
    const until = performance.now() + settleWithinMs
    while (performance.now() < until) {
      if (await isSettled(connection, entry.id)) return 'settled'
      await pause(settleLookMs)
    }
    return await closeUntaken(connection, entry.id)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    await this.#turn
    // Known owners need no look-up.
    await this.#connection
      ?.ask('delete from nodes where node = $1', [this.#parts.node])
      .catch(() => undefined)
    await this.#connection?.[Symbol.asyncDispose]()
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
      const { node, settle } = this.#parts
      if (settle !== undefined) await takeSettlements(connection, node, settle)
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
  async #beat({ ask }: FeedConnection): Promise<void> {
    const now = performance.now()
    if (now < this.#beatAt) return
    this.#beatAt = now + beatEveryMs
    const { node, settleLost } = this.#parts
    await ask(seen, [node])
    await tidySettlements({ ask }, Date.now())
    if (settleLost === undefined) return
    const rows = await ask<{ id: string; body: string }>(claimLost, [node, goneAfter])
    if (rows.length > 0) await settleLost(rows.map(holdOf))
  }

  #report(trouble: unknown): void {
    const hasFailed = trouble !== undefined
    if (hasFailed !== this.#hasFailed) this.#parts.report(trouble)
    this.#hasFailed = hasFailed
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
const goneAfter = '60 seconds'

const seen = 'insert into nodes (node) values ($1) on conflict (node) do update set seen = now()'

/** Claims the holds for this node, so that no other node takes them too. */
const claimLost =
  'update holds set node = $1 from nodes where nodes.node = holds.node and holds.node <> $1 ' +
  'and nodes.seen < now() - $2::interval returning holds.id, holds.body'

function holdOf({ id, body }: { readonly id: string; readonly body: string }): OpenHold {
  const { owner = 'gone', parts } = JSON.parse(body) as Partial<HoldEntry> & GrowEntry
  return { id, owner, parts }
}
