import type { CallSignal } from '../core/model/call-signal.ts'
import { Failure } from '../core/model/failure.ts'
import type { Clock } from '../core/model/ports.ts'
import type { AnswerEnd, Beginning, Begun, SharedCache } from '../core/model/shared/cache.ts'

/** The shared cache of a single-process gateway. */
export function createMemoryCache(clock: Pick<Clock, 'now'>): SharedCache {
  return new MemoryCache(clock)
}

class MemoryCache implements SharedCache {
  readonly #texts: Expiring<Text>
  readonly #answers: Expiring<Answer>
  readonly #clock: Pick<Clock, 'now'>

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock
    this.#texts = new Expiring(clock)
    this.#answers = new Expiring(clock, (answer) => answer.end('lost'))
  }

  async get(key: string): Promise<string | undefined> {
    return this.#texts.get(key)?.text
  }

  async put(key: string, text: string, ttlMs: number): Promise<void> {
    this.#texts.set(key, { text, expiresAt: this.#clock.now() + ttlMs })
  }

  async remove(key: string): Promise<boolean> {
    return this.#texts.remove(key) !== undefined
  }

  async begin(key: string, { owner, fingerprint, ttlMs }: Beginning): Promise<Begun> {
    const known = this.#answers.get(key)
    if (known !== undefined) {
      return { isYours: false, fingerprint: known.fingerprint, isWhole: known.state === 'whole' }
    }
    this.#answers.set(key, new Answer(owner, fingerprint, this.#clock.now() + ttlMs))
    return { isYours: true }
  }

  async append(key: string, owner: string, pieces: readonly string[]): Promise<boolean> {
    const answer = this.#unfinished(key, owner)
    answer?.add(pieces)
    return answer !== undefined
  }

  async finish(key: string, owner: string, end: AnswerEnd): Promise<boolean> {
    const answer = this.#unfinished(key, owner)
    if (answer === undefined) return false
    if (end === 'drop') this.#answers.remove(key)
    else answer.expiresAt = this.#clock.now() + end.keepMs
    answer.end('whole')
    return true
  }

  async *follow(key: string, signal: CallSignal): AsyncGenerator<string, void, void> {
    signal.throwIfAborted()
    const answer = this.#answers.get(key)
    if (answer === undefined) throw lost()
    let at = 0
    while (true) {
      signal.throwIfAborted()
      if (at < answer.pieces.length) {
        const text = answer.pieces.slice(at).join('')
        at = answer.pieces.length
        yield text
      } else if (answer.state === 'making') {
        await answer.changed(signal)
      } else if (answer.state === 'lost') {
        throw lost()
      } else {
        return
      }
    }
  }

  async forget(key: string, owner: string): Promise<void> {
    const answer = this.#answers.get(key)
    if (answer?.owner === owner && answer.state === 'whole') this.#answers.remove(key)
  }

  async abandon(owner: string): Promise<void> {
    for (const [key, answer] of this.#answers.entries()) {
      if (answer.owner === owner && answer.state === 'making') this.#answers.remove(key)?.end('lost')
    }
  }

  #unfinished(key: string, owner: string): Answer | undefined {
    const answer = this.#answers.get(key)
    return answer?.owner === owner && answer.state === 'making' ? answer : undefined
  }
}

type Text = { readonly text: string; readonly expiresAt: number }

class Answer {
  readonly owner: string
  readonly fingerprint: string
  readonly pieces: string[] = []
  state: 'making' | 'whole' | 'lost' = 'making'
  expiresAt: number
  readonly #waiting = new Set<() => void>()

  constructor(owner: string, fingerprint: string, expiresAt: number) {
    this.owner = owner
    this.fingerprint = fingerprint
    this.expiresAt = expiresAt
  }

  add(pieces: readonly string[]): void {
    this.pieces.push(...pieces.filter((piece) => piece !== ''))
    this.#wake()
  }

  /** A complete answer stays complete. */
  end(state: 'whole' | 'lost'): void {
    if (this.state === 'making') this.state = state
    this.#wake()
  }

  /** Resolves when there are more pieces, when the answer has ended, or when the signal aborts. */
  async changed(signal: CallSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting.add(resolve)
    signal.addEventListener('abort', resolve, { once: true })
    await promise
    signal.removeEventListener('abort', resolve)
    this.#waiting.delete(resolve)
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve()
  }
}

/** Values with expiry. An expired one is removed when it is read, and all of them once there are many. */
class Expiring<Entry extends { readonly expiresAt: number }> {
  readonly #entries = new Map<string, Entry>()
  readonly #clock: Pick<Clock, 'now'>
  readonly #expired: (entry: Entry) => void
  #sweepAt = sweepEvery

  constructor(clock: Pick<Clock, 'now'>, expired: (entry: Entry) => void = () => {}) {
    this.#clock = clock
    this.#expired = expired
  }

  get(key: string): Entry | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined || this.#clock.now() < entry.expiresAt) return entry
    this.#entries.delete(key)
    this.#expired(entry)
    return undefined
  }

  set(key: string, entry: Entry): void {
    this.#entries.set(key, entry)
    if (this.#entries.size < this.#sweepAt) return
    for (const each of [...this.#entries.keys()]) this.get(each)
    this.#sweepAt = Math.max(sweepEvery, this.#entries.size * 2)
  }

  remove(key: string): Entry | undefined {
    const entry = this.get(key)
    this.#entries.delete(key)
    return entry
  }

  entries(): readonly (readonly [string, Entry])[] {
    return [...this.#entries]
  }
}

const sweepEvery = 1000

/** The error for followers of an answer whose process has died. */
export function lost(cause?: unknown): Failure {
  const detail = cause === undefined ? {} : { cause }
  return new Failure('interrupted', 'The answer that this request shares was not finished.', detail)
}
