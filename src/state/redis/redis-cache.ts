import { hash, randomBytes } from 'node:crypto'
import type { CallSignal } from '../../core/model/call-signal.ts'
import type { Clock } from '../../core/model/ports.ts'
import type { AnswerEnd, Beginning, Begun, SharedCache } from '../../core/model/shared/cache.ts'
import { createMemoryCache, lost } from '../memory-cache.ts'
import { type AnswersInProgress, createAnswersInProgress } from './answers-in-progress.ts'
import {
  appendScript,
  beginScript,
  finishScript,
  followScript,
  forgetScript,
  loseScript,
} from './cache-scripts.ts'
import { type RedisConnection, RedisUnavailable } from './connection.ts'
import { listOf, textsOf } from './replies.ts'
import { getScript, memberScript, membersScript, putScript, removeScript } from './text-scripts.ts'

/** The shared cache, and the events of its connection. */
export interface RedisCache extends SharedCache {
  /** To be called when Redis is reachable again. */
  reconnected(): void
}

export type RedisCacheParts = {
  /** This node. */
  readonly owner: string
  readonly connection: RedisConnection
  readonly prefix: string
  readonly clock: Pick<Clock, 'now'>
  /** Subscribes to a channel. Returns a function that unsubscribes. */
  readonly listen: (channel: string, listener: () => void) => () => void
}

/**
 * The shared cache in Redis: each text and each answer in its own cluster slot. While Redis is unavailable, each node
 * uses a cache of its own for new entries.
 */
export function createRedisCache(parts: RedisCacheParts): RedisCache {
  return new Cache(parts)
}

class Cache implements RedisCache {
  readonly #parts: RedisCacheParts
  readonly #local: SharedCache
  /** The owners of answers begun while Redis was unavailable, by key. */
  readonly #begunLocally = new Map<string, string>()
  /** Those of them that Redis may know: it was lost while they began. */
  readonly #inDoubt = new Map<string, string>()
  readonly #inProgress: AnswersInProgress
  /** When each worker of this node was last registered, by its owner name. */
  readonly #notedAt = new Map<string, number>()
  /** Processes that ended while Redis was unavailable. */
  readonly #ended = new Set<string>()

  constructor(parts: RedisCacheParts) {
    this.#parts = parts
    this.#local = createMemoryCache(parts.clock)
    this.#inProgress = createAnswersInProgress({
      append: async (key, owner, text, at = -1) =>
        (await this.#run(appendScript, this.#answer(key), [owner, text, at])) === 1,
      finish: (key, owner, end, length = -1) => this.#finish(key, owner, end, length),
    })
  }

  async get(key: string): Promise<string | undefined> {
    return await this.#either(
      (local) => local.get(key),
      async () => {
        const text = await this.#run(getScript, this.#text(key), [])
        return typeof text === 'string' ? text : undefined
      },
    )
  }

  async put(key: string, text: string, ttlMs: number): Promise<void> {
    await this.#either(
      (local) => local.put(key, text, ttlMs),
      async () => void (await this.#run(putScript, this.#text(key), [text, wholeMs(ttlMs)])),
    )
  }

  async remove(key: string): Promise<boolean> {
    return await this.#either(
      (local) => local.remove(key),
      async () => (await this.#run(removeScript, this.#text(key), [])) === 1,
    )
  }

  async begin(key: string, beginning: Beginning): Promise<Begun> {
    const { owner, fingerprint, ttlMs } = beginning
    const isSent = this.#parts.connection.isUp
    return await this.#either(
      async (local) => {
        const begun = await local.begin(key, beginning)
        if (!begun.isYours) return begun
        this.#begunLocally.set(key, owner)
        if (isSent && !this.#inProgress.has(key)) this.#inDoubt.set(key, owner)
        return begun
      },
      async () => {
        const answer = this.#answer(key)
        this.#noteWorker(owner)
        const args = [owner, fingerprint, wholeMs(ttlMs), randomBytes(9).toString('base64url')]
        const [, begun] = await Promise.all([
          this.#run(memberScript, this.#owned(owner), ['add', answer]),
          this.#run(beginScript, answer, args),
        ])
        const [before, state] = textsOf(begun)
        if (before !== undefined) return { isYours: false, fingerprint: before, isWhole: state === 'whole' }
        this.#begunLocally.delete(key)
        this.#inProgress.begin(key, owner)
        return { isYours: true }
      },
    )
  }

  async append(key: string, owner: string, pieces: readonly string[]): Promise<boolean> {
    if (this.#isLocal(key, owner)) return await this.#local.append(key, owner, pieces)
    return await this.#inProgress.append(key, owner, pieces.join(''))
  }

  async finish(key: string, owner: string, end: AnswerEnd): Promise<boolean> {
    if (!this.#isLocal(key, owner)) return await this.#inProgress.finish(key, owner, end)
    this.#begunLocally.delete(key)
    return await this.#local.finish(key, owner, end)
  }

  async *follow(key: string, signal: CallSignal): AsyncGenerator<string, void, void> {
    signal.throwIfAborted()
    if (this.#begunLocally.has(key) || !this.#parts.connection.isUp)
      return yield* this.#local.follow(key, signal)
    const wakeup = createWakeup(signal)
    const answer = this.#answer(key)
    const leave = this.#parts.listen(answer, wakeup.wake)
    try {
      let making = ''
      for (let at = 0; ; ) {
        const woken = wakeup.next()
        const [which, state, pieces] = listOf(await this.#run(followScript, answer, [making, at]))
        signal.throwIfAborted()
        making = String(which)
        const texts = textsOf(pieces)
        at += texts.length
        if (texts.length > 0) yield texts.join('')
        else if (state === 'making') await woken
        else if (state === 'whole') return
        else throw lost()
        signal.throwIfAborted()
      }
    } catch (thrown) {
      throw thrown instanceof RedisUnavailable ? lost(thrown) : thrown
    } finally {
      leave()
      wakeup.end()
    }
  }

  async forget(key: string, owner: string): Promise<void> {
    await this.#local.forget(key, owner)
    await this.#orFalse(async () => (await this.#run(forgetScript, this.#answer(key), [owner])) === 1)
  }

  /** Abandons a process; a node together with its workers. */
  async abandon(owner: string): Promise<void> {
    await this.#local.abandon(owner)
    for (const [key, whose] of [...this.#begunLocally]) if (whose === owner) this.#begunLocally.delete(key)
    this.#inProgress.abandon(owner)
    this.#notedAt.delete(owner)
    await this.#either(
      async () => void this.#ended.add(owner),
      async () => {
        await this.#loseAnswers(owner)
        const workers = this.#workers(owner)
        for (const worker of textsOf(await this.#run(membersScript, workers, []))) {
          await this.#loseAnswers(worker)
          await this.#run(memberScript, workers, ['remove', worker])
        }
      },
    )
  }

  reconnected(): void {
    const ended = [...this.#ended]
    this.#ended.clear()
    for (const owner of ended) void this.abandon(owner)
    const inDoubt = [...this.#inDoubt]
    this.#inDoubt.clear()
    for (const [key, owner] of inDoubt) {
      void this.#orFalse(async () => (await this.#run(loseScript, this.#answer(key), [owner])) === 1)
    }
    this.#inProgress.reconnected()
  }

  #isLocal(key: string, owner: string): boolean {
    return this.#begunLocally.get(key) === owner
  }

  async #finish(key: string, owner: string, end: AnswerEnd, length: number): Promise<boolean> {
    const answer = this.#answer(key)
    const [keptMs, how] = end === 'drop' ? [followersMs, 'drop'] : [wholeMs(end.keepMs), 'keep']
    const isFinished = (await this.#run(finishScript, answer, [owner, keptMs, how, length])) === 1
    // A member that is left behind is removed with its owner.
    if (isFinished) {
      void this.#orFalse(async () => {
        await this.#run(memberScript, this.#owned(owner), ['remove', answer])
        return true
      })
    }
    return isFinished
  }

  async #loseAnswers(owner: string): Promise<void> {
    const owned = this.#owned(owner)
    for (const answer of textsOf(await this.#run(membersScript, owned, []))) {
      await this.#run(loseScript, answer, [owner])
      await this.#run(memberScript, owned, ['remove', answer])
    }
  }

  /** Registers a worker, so that another node can abandon it together with this node. */
  #noteWorker(owner: string): void {
    const { clock, owner: node } = this.#parts
    const now = clock.now()
    if (owner === node || now - (this.#notedAt.get(owner) ?? Number.NEGATIVE_INFINITY) < noteEveryMs) return
    this.#notedAt.set(owner, now)
    this.#run(memberScript, this.#workers(node), ['add', owner]).catch(() => this.#notedAt.delete(owner))
  }

  async #either<T>(local: (cache: SharedCache) => Promise<T>, shared: () => Promise<T>): Promise<T> {
    if (!this.#parts.connection.isUp) return await local(this.#local)
    try {
      return await shared()
    } catch (thrown) {
      if (thrown instanceof RedisUnavailable) return await local(this.#local)
      throw thrown
    }
  }

  async #orFalse(work: () => Promise<boolean>): Promise<boolean> {
    try {
      return await work()
    } catch (thrown) {
      if (thrown instanceof RedisUnavailable) return false
      throw thrown
    }
  }

  #run(script: Parameters<RedisConnection['run']>[0], key: string, args: readonly (string | number)[]) {
    return this.#parts.connection.run(script, [key], args)
  }

  #text(key: string): string {
    return `${this.#parts.prefix}:text:{${digest(key)}}`
  }

  #answer(key: string): string {
    return `${this.#parts.prefix}:answer:{${digest(key)}}`
  }

  #owned(owner: string): string {
    return `${this.#parts.prefix}:making:{${owner}}`
  }

  /** The workers of a node that have made answers. */
  #workers(node: string): string {
    return `${this.#parts.prefix}:workers:{${node}}`
  }
}

/** Registrations are renewed hourly, because the set of a node's workers expires after a day. */
const noteEveryMs = 3_600_000

/** Hashed: callers' keys may be long, and their content is private. */
function digest(key: string): string {
  return hash('sha256', key, 'base64url')
}

/** How long a dropped answer stays for its followers. */
const followersMs = 60_000

function wholeMs(ms: number): number {
  return Math.max(1, Math.ceil(ms))
}

/** Wakes on messages about an answer, even early ones, and periodically without any. */
function createWakeup(signal: CallSignal) {
  let woken = Promise.withResolvers<void>()
  let timer: NodeJS.Timeout | undefined
  const wake = () => woken.resolve()
  signal.addEventListener('abort', wake)
  return {
    wake,
    next(): Promise<void> {
      woken = Promise.withResolvers()
      if (signal.aborted) woken.resolve()
      clearTimeout(timer)
      timer = setTimeout(wake, checkMs)
      return woken.promise
    },
    end() {
      clearTimeout(timer)
      signal.removeEventListener('abort', wake)
    },
  }
}

/** Messages may be lost, and an expired answer sends none. */
const checkMs = 1000
