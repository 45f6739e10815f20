import type { AdminEntry, GrowEntry, HoldEntry, OverrideEntry } from '../../core/model/journal.ts'
import type { SharedBus } from '../../core/model/shared-bus.ts'
import type { OpenHold } from '../../core/model/shared-state.ts'
import { openPostgresStore } from '../store/postgres/postgres-store.ts'
import { readShared } from '../store/postgres/shared-changes.ts'
import { connectFeed, type FeedConnection } from './feed-connection.ts'

/**
 * What the nodes over one Postgres database tell each other: changes of keys, teams and limits, which are kept there, and
 * what is said on its bus, which is not.
 */
export interface ChangeFeed extends AsyncDisposable {
  /** Carries what is said at once, as far as the database is there. */
  readonly bus: SharedBus
  /** Resolves once the changes that are there are taken; also where the database cannot be had. From then on it looks. */
  begin(): Promise<void>
}

export type FeedParts = {
  readonly databaseUrl: string
  /** This node, as the store knows it. */
  readonly node: string
  /** Takes a change, of this node or another; one that is known, too. */
  readonly hear: (entry: AdminEntry | OverrideEntry) => void
  /** Takes the holds of a node that is gone. Undefined: what is held outlasts its node elsewhere. */
  readonly settleLost: ((holds: readonly OpenHold[]) => Promise<void>) | undefined
  /** Told when the database cannot be had, and when it is there again. */
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
      subscribe: (topic, hear, missed) => this.#subscribe(topic, { hear, missed }),
    }
  }

  begin(): Promise<void> {
    return this.#next()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    await this.#turn
    // Whose holds are settled does not have to be looked for.
    await this.#connection
      ?.ask('delete from nodes where node = $1', [this.#parts.node])
      .catch(() => undefined)
    await this.#connection?.[Symbol.asyncDispose]()
  }

  #publish(topic: string, text: string): void {
    const whole = JSON.stringify([topic, text])
    // More than that Postgres does not take: the others then look at once what is new.
    const payload = Buffer.byteLength(whole) < mostBytes ? whole : '[]'
    void this.#connection?.ask('select pg_notify($1, $2)', [channel, payload]).catch(() => undefined)
  }

  #subscribe(topic: string, subscriber: Subscriber): () => void {
    const subscribers = this.#topics.get(topic) ?? new Set()
    this.#topics.set(topic, subscribers.add(subscriber))
    return () => void subscribers.delete(subscriber)
  }

  #hearNotice(payload: string): void {
    const [topic, text] = JSON.parse(payload) as [topic?: string, text?: string]
    if (topic === undefined || text === undefined) this.#soon(0)
    else for (const { hear } of [...(this.#topics.get(topic) ?? [])]) hear(text)
  }

  #soon(ms: number): void {
    if (this.#isClosed) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#next(), ms)
    this.#timer.unref()
  }

  /** One look follows the other, however often it is asked for. */
  #next(): Promise<void> {
    this.#turn = this.#turn.then(() => this.#look())
    return this.#turn
  }

  async #look(): Promise<void> {
    if (this.#isClosed) return
    try {
      const connection = await this.#connected()
      await this.#read(connection)
      await this.#beat(connection)
      this.#tell(undefined)
      this.#soon(lookEveryMs)
    } catch (thrown) {
      const lost = this.#connection
      this.#connection = undefined
      await lost?.[Symbol.asyncDispose]()
      this.#tell(thrown)
      this.#soon(retryMs)
    }
  }

  async #connected(): Promise<FeedConnection> {
    if (this.#connection !== undefined && !this.#connection.isLost) return this.#connection
    await this.#connection?.[Symbol.asyncDispose]()
    const { databaseUrl } = this.#parts
    // Who comes first makes the schema.
    await using store = openPostgresStore(databaseUrl)
    await store.migrate()
    this.#connection = await connectFeed(databaseUrl, channel, (payload) => this.#hearNotice(payload))
    for (const { missed } of [...this.#topics.values()].flatMap((all) => [...all])) missed?.()
    return this.#connection
  }

  async #read({ ask }: FeedConnection): Promise<void> {
    for (;;) {
      const rows = await ask<SharedRow>(readShared, [this.#version])
      for (const { version, body } of rows) {
        this.#version = Number(version)
        this.#parts.hear(JSON.parse(body) as AdminEntry | OverrideEntry)
      }
      if (rows.length === 0) return
    }
  }

  /** Says that this node is there, and looks whether others are. */
  async #beat({ ask }: FeedConnection): Promise<void> {
    const now = performance.now()
    if (now < this.#beatAt) return
    this.#beatAt = now + beatEveryMs
    const { node, settleLost } = this.#parts
    await ask(seen, [node])
    if (settleLost === undefined) return
    const rows = await ask<{ id: string; body: string }>(claimLost, [node, goneAfter])
    if (rows.length > 0) await settleLost(rows.map(holdOf))
  }

  #tell(trouble: unknown): void {
    const hasFailed = trouble !== undefined
    if (hasFailed !== this.#hasFailed) this.#parts.report(trouble)
    this.#hasFailed = hasFailed
  }
}

type Subscriber = { readonly hear: (text: string) => void; readonly missed: (() => void) | undefined }

type SharedRow = { readonly version: string; readonly body: string }

const channel = 'pandotate_gateway'
const mostBytes = 7900
const lookEveryMs = 500
const retryMs = 2000
const beatEveryMs = 10_000
const goneAfter = '60 seconds'

const seen = 'insert into nodes (node) values ($1) on conflict (node) do update set seen = now()'

/** They are this node's from then on: no other takes them, too. */
const claimLost =
  'update holds set node = $1 from nodes where nodes.node = holds.node and holds.node <> $1 ' +
  'and nodes.seen < now() - $2::interval returning holds.id, holds.body'

function holdOf({ id, body }: { readonly id: string; readonly body: string }): OpenHold {
  const { owner = 'gone', parts } = JSON.parse(body) as Partial<HoldEntry> & GrowEntry
  return { id, owner, parts }
}
