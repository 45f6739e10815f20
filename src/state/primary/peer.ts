import { asFailure, Failure } from '../../core/model/failure.ts'
import { readFailure, type WrittenFailure, writeFailure } from './written-failure.ts'

/** A two-way channel between two processes: messages arrive whole and in order, or not at all. */
export interface Channel {
  /** Never throws: a message to a process that has died is lost. */
  send(frames: readonly Frame[]): void
  receive(take: (frames: readonly Frame[]) => void): void
}

/** The other process, for requests and notifications. Messages of one turn of the event loop are sent as one. */
export interface Peer {
  /** Sends a request. Rejects with a Failure: the other process's, or `interrupted` if that process has died. */
  ask(method: string, ...given: readonly unknown[]): Promise<unknown>
  /** Sends a notification, which has no answer: the other process reports failures. */
  tell(method: string, ...given: readonly unknown[]): void
  /** Adds requests that the other process may make. */
  serve(methods: Methods): void
  /** Sends pending messages at the end of this task, not of this turn, because a caller waits for them. */
  hurry(): void
  /** Changes with every send. Until then, messages can be added to the batch. */
  readonly turn: number
  /** Fails all current and future requests. */
  end(): void
}

export type Methods = Readonly<Record<string, (...given: readonly never[]) => unknown>>

/**
 * `[id, method, …]` is a request, or a notification if the id is 0; `[-id, 0, value]` is an answer, `[-id, 1, failure]`
 * a failure.
 */
export type Frame = readonly [id: number, what: string | 0 | 1, ...given: readonly unknown[]]

export function createPeer(channel: Channel): Peer {
  return new ChannelPeer(channel)
}

type Waiting = PromiseWithResolvers<unknown>

class ChannelPeer implements Peer {
  turn = 0
  readonly #channel: Channel
  readonly #methods = new Map<string, (...given: readonly unknown[]) => unknown>()
  readonly #pending = new Map<number, Waiting>()
  #lastId = 0
  #frames: Frame[] = []
  #isHurried = false
  #hasEnded = false

  constructor(channel: Channel) {
    this.#channel = channel
    channel.receive((frames) => {
      for (const frame of frames) this.#take(frame)
    })
  }

  ask(method: string, ...given: readonly unknown[]): Promise<unknown> {
    if (this.#hasEnded) return Promise.reject(gone())
    const waiting = Promise.withResolvers<unknown>()
    this.#pending.set(++this.#lastId, waiting)
    this.#put([this.#lastId, method, ...given])
    return waiting.promise
  }

  tell(method: string, ...given: readonly unknown[]): void {
    if (!this.#hasEnded) this.#put([0, method, ...given])
  }

  serve(methods: Methods): void {
    for (const [name, method] of Object.entries(methods)) this.#methods.set(name, method as never)
  }

  hurry(): void {
    if (this.#isHurried || this.#frames.length === 0) return
    this.#isHurried = true
    queueMicrotask(() => this.#flush())
  }

  end(): void {
    this.#hasEnded = true
    for (const { reject } of this.#pending.values()) reject(gone())
    this.#pending.clear()
    this.#frames = []
  }

  #put(frame: Frame): void {
    this.#frames.push(frame)
    if (this.#frames.length === 1) setImmediate(() => this.#flush())
  }

  #flush(): void {
    this.#isHurried = false
    if (this.#frames.length === 0) return
    const frames = this.#frames
    this.#frames = []
    this.turn++
    this.#channel.send(frames)
  }

  #take([id, what, ...given]: Frame): void {
    if (typeof what === 'string') this.#run(id, what, given)
    else {
      const waiting = this.#pending.get(-id)
      this.#pending.delete(-id)
      if (what === 0) waiting?.resolve(given[0])
      else waiting?.reject(readFailure(given[0] as WrittenFailure))
    }
  }

  /** Synchronous answers are sent in the turn of their request. */
  #run(id: number, name: string, given: readonly unknown[]): void {
    const method = this.#methods.get(name)
    const answer = (value: unknown) => this.#answer([-id, 0, value])
    const fail = (thrown: unknown) => this.#answer([-id, 1, writeFailure(asFailure(thrown))])
    try {
      if (method === undefined) throw new TypeError(`The other process does not know ${name}.`)
      const made = method(...given)
      if (made instanceof Promise) made.then(answer, fail)
      else answer(made)
    } catch (thrown) {
      fail(thrown)
    }
  }

  #answer(frame: Frame): void {
    if (frame[0] !== 0 && !this.#hasEnded) this.#put(frame)
  }
}

function gone(): Failure {
  return new Failure('interrupted', 'Another process of this gateway ended.')
}
