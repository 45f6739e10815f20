import { hash } from 'node:crypto'
import type { Cluster, Redis } from 'ioredis'
import { Failure } from '../../core/model/failure.ts'
import { connect, type RedisSettings } from './connect.ts'

/** A step that the server executes atomically: Lua, and its SHA. */
export type Script = { readonly name: string; readonly lua: string; readonly sha: string }

export function scriptOf(name: string, lua: string): Script {
  return { name, lua, sha: hash('sha1', lua, 'hex') }
}

/** What a step may return. */
export type Reply = string | number | null | readonly Reply[]

/** The connection to Redis. It is up or down; while it is down, requests fail at once. */
export interface RedisConnection extends AsyncDisposable {
  readonly isUp: boolean
  /** Why it is down; undefined while it is up. */
  readonly reason: string | undefined
  /** How often the connection was lost. */
  readonly losses: number
  /** The response time in milliseconds, as a moving average. */
  readonly latencyMs: number
  /**
   * Rejects with `RedisUnavailable` at once while it is down, and when the connection is lost: then it is unknown
   * whether the step was executed.
   */
  run(script: Script, keys: readonly string[], args: readonly (string | number)[]): Promise<Reply>
  /** Subscribes to a channel, and again after each reconnect. */
  subscribe(channel: string): void
  unsubscribe(channel: string): void
  /** Connects; resolves when it is up, or after `waitMs`. It keeps trying afterwards. */
  open(waitMs: number): Promise<void>
}

export class RedisUnavailable extends Failure {
  constructor(reason: string) {
    super('shed', 'The gateway cannot count limits at the moment.', {
      operatorNote: `Redis is unavailable: ${reason}`,
    })
  }
}

export type ConnectionParts = {
  readonly settings: RedisSettings
  readonly now: () => number
  /** Runs on each new connection before it counts as up. If it rejects, the connection stays down. */
  readonly handshake: (run: RedisConnection['run']) => Promise<void>
  readonly onUp: () => void
  readonly onDown: (reason: string) => void
  readonly onMessage: (channel: string, text: string) => void
}

export function createConnection(parts: ConnectionParts): RedisConnection {
  return new Connection(parts)
}

type Client = Redis | Cluster

class Connection implements RedisConnection {
  readonly #parts: ConnectionParts
  readonly #channels = new Set<string>()
  readonly #waiting = new Set<(reason: unknown) => void>()
  #client: Client | undefined
  #isUp = false
  #isClosed = false
  #reason: string | undefined = 'not connected yet'
  #losses = 0
  #latencyMs = 0
  #repliedAt = 0
  #watch: NodeJS.Timeout | undefined
  #retry: NodeJS.Timeout | undefined
  #failures = 0
  #isCorked = false
  readonly #firstUp = Promise.withResolvers<void>()

  constructor(parts: ConnectionParts) {
    this.#parts = parts
  }

  get isUp(): boolean {
    return this.#isUp
  }

  get reason(): string | undefined {
    return this.#reason
  }

  get losses(): number {
    return this.#losses
  }

  get latencyMs(): number {
    return this.#latencyMs
  }

  async open(waitMs: number): Promise<void> {
    void this.#connect()
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, waitMs)
    await Promise.race([this.#firstUp.promise, promise])
    clearTimeout(timer)
  }

  run(script: Script, keys: readonly string[], args: readonly (string | number)[]): Promise<Reply> {
    const client = this.#client
    if (!this.#isUp || client === undefined) {
      return Promise.reject(new RedisUnavailable(this.#reason ?? 'not connected'))
    }
    return this.#run(client, script, keys, args)
  }

  subscribe(channel: string): void {
    this.#channels.add(channel)
    if (this.#isUp) this.#client?.subscribe(channel).catch(() => {})
  }

  unsubscribe(channel: string): void {
    this.#channels.delete(channel)
    if (this.#isUp) this.#client?.unsubscribe(channel).catch(() => {})
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    this.#isUp = false
    this.#reason = 'closed'
    clearTimeout(this.#retry)
    this.#drop(this.#client)
    this.#rejectAll(new RedisUnavailable('closed'))
  }

  #run(
    client: Client,
    script: Script,
    keys: readonly string[],
    args: readonly (string | number)[],
  ): Promise<Reply> {
    this.#cork(client)
    const reply = client.evalsha(script.sha, keys.length, ...keys, ...args).then(undefined, (thrown) => {
      if (this.#client !== client || !textOf(thrown).startsWith('NOSCRIPT')) throw thrown
      return client.eval(script.lua, keys.length, ...keys, ...args)
    })
    return this.#watched(client, reply as Promise<Reply>)
  }

  /** An answer to come: without one in time, or if it is an error, the connection counts as lost. */
  #watched<Answer>(client: Client, answer: Promise<Answer>): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    const sentAt = this.#parts.now()
    if (this.#waiting.size === 0) this.#repliedAt = sentAt
    this.#waiting.add(reject)
    answer.then(
      (value) => {
        this.#replied(reject, sentAt)
        resolve(value)
      },
      (thrown: unknown) => {
        this.#replied(reject, sentAt)
        this.#lost(client, textOf(thrown), reject)
      },
    )
    this.#watch ??= this.#watching(client)
    return promise
  }

  /** Sends the requests of one turn of the event loop in one write. */
  #cork(client: Client): void {
    if (this.#isCorked || client.isCluster) return
    const { stream } = client as Redis
    if (stream === undefined) return
    this.#isCorked = true
    stream.cork()
    setImmediate(() => {
      this.#isCorked = false
      stream.uncork()
    })
  }

  #replied(waiting: (reason: unknown) => void, sentAt: number): void {
    const now = this.#parts.now()
    this.#waiting.delete(waiting)
    this.#repliedAt = now
    this.#latencyMs += (now - sentAt - this.#latencyMs) / latencyWeight
  }

  /** One timer for all requests: the server answers in order, so any answer shows that it is alive. */
  #watching(client: Client): NodeJS.Timeout {
    const { timeoutMs } = this.#parts.settings
    const check = (): void => {
      this.#watch = undefined
      if (this.#client !== client || this.#waiting.size === 0) return
      const silentMs = this.#parts.now() - this.#repliedAt
      if (silentMs < timeoutMs) {
        this.#watch = setTimeout(check, timeoutMs - silentMs)
        return
      }
      // If our own turn took long, an answer may have arrived unread.
      const repliedAt = this.#repliedAt
      setImmediate(() => {
        if (this.#client !== client || this.#waiting.size === 0) return
        if (this.#repliedAt === repliedAt) this.#lost(client, `no answer within ${timeoutMs} ms`)
        else this.#watch ??= this.#watching(client)
      })
    }
    return setTimeout(check, timeoutMs)
  }

  async #connect(): Promise<void> {
    let client: Client | undefined
    try {
      const { settings, handshake } = this.#parts
      client = await connect(settings)
      if (this.#isClosed) return this.#drop(client)
      this.#client = client
      const opened = client
      await handshake((script, keys, args) => this.#run(opened, script, keys, args))
      if (this.#client !== client) return
      client.on('close', () => this.#lost(opened, 'the connection was closed'))
      client.on('end', () => this.#lost(opened, 'the connection was closed'))
      client.on('message', (channel: string, text: string) => this.#parts.onMessage(channel, text))
      if (this.#channels.size > 0) await this.#watched(client, client.subscribe(...this.#channels))
      if (this.#client !== client) return
      this.#isUp = true
      this.#reason = undefined
      this.#failures = 0
      this.#firstUp.resolve()
      this.#parts.onUp()
    } catch (thrown) {
      if (client === undefined || this.#client === client) this.#lost(client, textOf(thrown))
    }
  }

  #lost(client: Client | undefined, reason: string, rejectOne?: (reason: unknown) => void): void {
    rejectOne?.(new RedisUnavailable(reason))
    if (this.#client !== client || this.#isClosed) return
    const wasUp = this.#isUp
    this.#isUp = false
    this.#reason = reason
    this.#drop(client)
    this.#rejectAll(new RedisUnavailable(reason))
    const waitMs = Math.min(retryMs * 2 ** this.#failures, mostRetryMs)
    this.#failures++
    this.#retry = setTimeout(() => void this.#connect(), waitMs)
    if (!wasUp) return
    this.#losses++
    this.#parts.onDown(reason)
  }

  #drop(client: Client | undefined): void {
    this.#client = undefined
    this.#isCorked = false
    // It watches this client: the next one gets its own.
    clearTimeout(this.#watch)
    this.#watch = undefined
    client?.disconnect()
  }

  #rejectAll(reason: RedisUnavailable): void {
    for (const reject of [...this.#waiting]) reject(reason)
    this.#waiting.clear()
  }
}

const latencyWeight = 32

const retryMs = 50
const mostRetryMs = 1000

function textOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message.slice(0, 200) : 'unknown'
}
