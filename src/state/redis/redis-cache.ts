import { hash, randomBytes } from 'node:crypto'
import type { CallSignal } from '../../core/model/call-signal.ts'
import type { Clock } from '../../core/model/ports.ts'
import type { AnswerEnd, Beginning, Begun, SharedCache } from '../../core/model/shared/cache.ts'
import { createMemoryCache, lost } from '../memory-cache.ts'
import {
  appendScript,
  beginScript,
  finishScript,
  followScript,
  forgetScript,
  loseScript,
} from './cache-scripts.ts'
import { RedisAway, type RedisConnection } from './connection.ts'
import { listOf, textsOf } from './replies.ts'
import { getScript, memberScript, membersScript, putScript, removeScript } from './text-scripts.ts'

/** The cache, and the events of its connection. */
export interface RedisCache extends SharedCache {
  /** Redis is back. */
  cameBack(): void
}

export type RedisCacheParts = {
  /** This node. */
  readonly owner: string
  readonly connection: RedisConnection
  readonly prefix: string
  readonly clock: Pick<Clock, 'now'>
  /** Listens to a channel as long as it is wanted. */
  readonly listen: (channel: string, hear: () => void) => () => void
}

/**
 * The cache in Redis: each text and each answer in a slot of its own. While Redis is away each node has its own cache
 * for what begins then.
 */
export function createRedisCache(parts: RedisCacheParts): RedisCache {
  return new Cache(parts)
}

class Cache implements RedisCache {
  readonly #parts: RedisCacheParts
  readonly #alone: SharedCache
  /** Answers begun while Redis was away. */
  readonly #begunAlone = new Set<string>()
  /** When each worker of this node was last noted as one, by its owner's name. */
  readonly #notedAt = new Map<string, number>()
  /** Processes that ended while Redis was away. */
  readonly #gone = new Set<string>()

  constructor(parts: RedisCacheParts) {
    this.#parts = parts
    this.#alone = createMemoryCache(parts.clock)
  }

  async get(key: string): Promise<string | undefined> {
    return await this.#either(
      (alone) => alone.get(key),
      async () => {
        const text = await this.#run(getScript, this.#text(key), [])
        return typeof text === 'string' ? text : undefined
      },
    )
  }

  async put(key: string, text: string, ttlMs: number): Promise<void> {
    await this.#either(
      (alone) => alone.put(key, text, ttlMs),
      async () => void (await this.#run(putScript, this.#text(key), [text, wholeMs(ttlMs)])),
    )
  }

  async remove(key: string): Promise<boolean> {
    return await this.#either(
      (alone) => alone.remove(key),
      async () => (await this.#run(removeScript, this.#text(key), [])) === 1,
    )
  }

  async begin(key: string, beginning: Beginning): Promise<Begun> {
    const { owner, fingerprint, ttlMs } = beginning
    return await this.#either(
      async (alone) => {
        const begun = await alone.begin(key, beginning)
        if (begun.isYours) this.#begunAlone.add(key)
        return begun
      },
      async () => {
        const answer = this.#answer(key)
        this.#noteWorker(owner)
        const noted = this.#run(memberScript, this.#owned(owner), ['add', answer])
        const args = [owner, fingerprint, wholeMs(ttlMs), randomBytes(9).toString('base64url')]
        const [before, state] = textsOf(await this.#run(beginScript, answer, args))
        await noted
        if (before === undefined) return { isYours: true }
        return { isYours: false, fingerprint: before, isWhole: state === 'whole' }
      },
    )
  }

  async append(key: string, owner: string, pieces: readonly string[]): Promise<boolean> {
    if (this.#begunAlone.has(key)) return await this.#alone.append(key, owner, pieces)
    const said = pieces.filter((piece) => piece !== '')
    return await this.#orFalse(
      async () => (await this.#run(appendScript, this.#answer(key), [owner, ...said])) === 1,
    )
  }

  async finish(key: string, owner: string, end: AnswerEnd): Promise<boolean> {
    if (this.#begunAlone.delete(key)) return await this.#alone.finish(key, owner, end)
    const answer = this.#answer(key)
    const args = end === 'drop' ? [owner, followersMs, 'drop'] : [owner, wholeMs(end.keepMs), 'keep']
    return await this.#orFalse(async () => {
      const isFinished = (await this.#run(finishScript, answer, args)) === 1
      if (isFinished) await this.#run(memberScript, this.#owned(owner), ['remove', answer])
      return isFinished
    })
  }

  async *follow(key: string, signal: CallSignal): AsyncGenerator<string, void, void> {
    signal.throwIfAborted()
    if (this.#begunAlone.has(key) || !this.#parts.connection.isUp)
      return yield* this.#alone.follow(key, signal)
    const news = createNews(signal)
    const answer = this.#answer(key)
    const leave = this.#parts.listen(answer, news.tell)
    try {
      let making = ''
      for (let at = 0; ; ) {
        const heard = news.next()
        const [which, state, pieces] = listOf(await this.#run(followScript, answer, [making, at]))
        signal.throwIfAborted()
        making = String(which)
        const said = textsOf(pieces)
        at += said.length
        if (said.length > 0) yield said.join('')
        else if (state === 'making') await heard
        else if (state === 'whole') return
        else throw lost()
        signal.throwIfAborted()
      }
    } catch (thrown) {
      throw thrown instanceof RedisAway ? lost(thrown) : thrown
    } finally {
      leave()
      news.end()
    }
  }

  async forget(key: string, owner: string): Promise<void> {
    await this.#alone.forget(key, owner)
    await this.#orFalse(async () => (await this.#run(forgetScript, this.#answer(key), [owner])) === 1)
  }

  /** A node with its workers. */
  async abandon(owner: string): Promise<void> {
    await this.#alone.abandon(owner)
    this.#notedAt.delete(owner)
    await this.#either(
      async () => void this.#gone.add(owner),
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

  cameBack(): void {
    const gone = [...this.#gone]
    this.#gone.clear()
    for (const owner of gone) void this.abandon(owner)
  }

  async #loseAnswers(owner: string): Promise<void> {
    const owned = this.#owned(owner)
    for (const answer of textsOf(await this.#run(membersScript, owned, []))) {
      await this.#run(loseScript, answer, [owner])
      await this.#run(memberScript, owned, ['remove', answer])
    }
  }

  /** The node that finds this one gone abandons its workers too. */
  #noteWorker(owner: string): void {
    const { clock, owner: node } = this.#parts
    const now = clock.now()
    if (owner === node || now - (this.#notedAt.get(owner) ?? Number.NEGATIVE_INFINITY) < noteEveryMs) return
    this.#notedAt.set(owner, now)
    this.#run(memberScript, this.#workers(node), ['add', owner]).catch(() => this.#notedAt.delete(owner))
  }

  async #either<T>(alone: (cache: SharedCache) => Promise<T>, shared: () => Promise<T>): Promise<T> {
    if (!this.#parts.connection.isUp) return await alone(this.#alone)
    try {
      return await shared()
    } catch (thrown) {
      if (thrown instanceof RedisAway) return await alone(this.#alone)
      throw thrown
    }
  }

  async #orFalse(work: () => Promise<boolean>): Promise<boolean> {
    try {
      return await work()
    } catch (thrown) {
      if (thrown instanceof RedisAway) return false
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

/** The set of a node's workers expires after a day. */
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

/** Wakes for news of an answer, also if they came early, and occasionally without any. */
function createNews(signal: CallSignal) {
  let heard = Promise.withResolvers<void>()
  let timer: NodeJS.Timeout | undefined
  const tell = () => heard.resolve()
  signal.addEventListener('abort', tell)
  return {
    tell,
    next(): Promise<void> {
      heard = Promise.withResolvers()
      if (signal.aborted) heard.resolve()
      clearTimeout(timer)
      timer = setTimeout(tell, lookMs)
      return heard.promise
    },
    end() {
      clearTimeout(timer)
      signal.removeEventListener('abort', tell)
    },
  }
}

/** Messages may be lost, and an expired answer sends none. */
const lookMs = 1000
