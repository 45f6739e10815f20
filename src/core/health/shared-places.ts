import type { Clock } from '../model/ports.ts'
import type { SharedBus } from '../model/shared/bus.ts'
import type { Places } from '../model/shared/places.ts'
import type { Allotment, SharedState } from '../model/shared/state.ts'

/**
 * The concurrency limit of each provider, shared by several processes. A process holds some of the places and returns
 * idle ones, so that a call usually finds one without a request. A process without a free place requests one, and is
 * served round-robin: while another process waits, none keeps an idle place, and freed places go to the next process in
 * turn.
 */
export interface SharedPlaces extends Disposable {
  /** The places of one provider. The latest limit applies, also to places taken before. */
  of(pool: string, limit: number): Places
}

export type SharedPlacesParts = {
  readonly state: Pick<SharedState, 'allot'>
  readonly bus: SharedBus
  readonly owner: string
  readonly clock: Pick<Clock, 'now'>
}

/** Notifies all processes that the places of an ended process are free. */
export function announceFreed(bus: Pick<SharedBus, 'publish'>): void {
  bus.publish(topic, freedMessage)
}

export function createSharedPlaces(parts: SharedPlacesParts): SharedPlaces {
  const pools = new Map<string, Pool>()
  const syncAll = () => {
    for (const pool of pools.values()) pool.sync()
  }
  const leave = parts.bus.subscribe(
    topic,
    (text) => {
      if (text === freedMessage) return syncAll()
      const [event, name = '', about] = text.split('\n')
      if (event === 'given' ? about === parts.owner : about !== parts.owner) pools.get(name)?.receive(event)
    },
    syncAll,
  )
  const timer = setInterval(() => {
    for (const pool of pools.values()) pool.check()
  }, checkMs)
  timer.unref()
  return {
    of(name, limit) {
      let pool = pools.get(name)
      if (pool === undefined) {
        pool = new Pool(name, parts)
        pools.set(name, pool)
      }
      pool.limit = limit
      return pool
    },
    [Symbol.dispose]() {
      leave()
      clearInterval(timer)
    },
  }
}

const topic = 'places'
const freedMessage = 'freed'

/** How often idle places are returned, and waiting processes repeat their request, in case a message was lost. */
const checkMs = 1000
/** The state is sent again after this many checks, in case the engine lost its data. */
const repeatChecks = 5
/** A process keeps one and a half times the peak of the last one to two of these periods. */
const peakMs = 10_000

class Pool implements Places {
  limit = 0
  readonly #name: string
  readonly #parts: SharedPlacesParts
  /** How many calls wait, by the callback that serves them. */
  readonly #waits = new Map<() => void, number>()
  #held = 0
  #used = 0
  #waiting = 0
  /** Another process waits. */
  #isAwaited = false
  /** The other processes were notified that this one waits. */
  #isAnnounced = false
  #isSyncing = false
  #isDue = false
  #peak = 0
  #peakBefore = 0
  #peakAt: number
  #checks = 0

  constructor(name: string, parts: SharedPlacesParts) {
    this.#name = name
    this.#parts = parts
    this.#peakAt = parts.clock.now()
  }

  get used(): number {
    return this.#used
  }

  take(): boolean {
    if (this.#used >= this.#held) return false
    this.#used++
    if (this.#used > this.#peak) this.#peak = this.#used
    const isLow = this.#held - this.#used < this.#held >> 3
    if (isLow && this.#held < this.limit && !this.#isAwaited) this.#due()
    return true
  }

  give(): void {
    this.#used--
    if (this.#isAwaited) this.#due()
    // Serves calls of another configuration that share this pool.
    else this.#serve()
  }

  mayPassOn(): boolean {
    return !this.#isAwaited && this.#used <= this.#held
  }

  wait(serve: () => void): void {
    this.#waits.set(serve, (this.#waits.get(serve) ?? 0) + 1)
    this.#waiting++
    // An announced process gets its places one by one, and updates its need with each.
    if (!this.#isAnnounced) this.#due()
  }

  endWait(serve: () => void): void {
    const left = (this.#waits.get(serve) ?? 0) - 1
    if (left > 0) this.#waits.set(serve, left)
    else this.#waits.delete(serve)
    this.#waiting--
    if (this.#waiting === 0 && this.#isAnnounced) this.#due()
  }

  receive(event: string | undefined): void {
    if (event === 'wanted') this.#isAwaited = true
    if (event === 'given' || this.#held > this.#used) this.#due()
  }

  check(): void {
    const now = this.#parts.clock.now()
    if (now - this.#peakAt >= peakMs) {
      this.#peakBefore = this.#peak
      this.#peak = this.#used
      this.#peakAt = now
    }
    this.#isAnnounced = false
    const isRepeated = this.#held > 0 && ++this.#checks % repeatChecks === 0
    const isTooMuch = this.#held - this.#wanted(this.#used) > this.#held >> 2
    if (this.#waiting > 0 || this.#isAwaited || isRepeated || isTooMuch) this.sync()
  }

  /** One step at a time, so that each sees the result of the one before. */
  sync(): void {
    if (this.#isSyncing) this.#isDue = true
    else void this.#sync()
  }

  /** Batches all changes of one turn into one step. */
  #due(): void {
    if (this.#isDue) return
    this.#isDue = true
    queueMicrotask(() => {
      this.#isDue = false
      this.sync()
    })
  }

  async #sync(): Promise<void> {
    const { state, owner } = this.#parts
    const used = this.#used
    const needed = Math.max(used, Math.min(used + this.#waiting, this.limit))
    const wanted = this.#wanted(needed)
    // Returned places must not be used during the step.
    const kept = Math.min(this.#held, this.#isAwaited ? used : wanted)
    const returned = this.#held - kept
    if (wanted + returned === 0 && !this.#isAnnounced) return
    this.#held = kept
    this.#isSyncing = true
    try {
      const step = { pool: this.#name, owner, limit: this.limit, used, returned, needed, wanted }
      this.#note(await state.allot(step), needed)
    } catch {
      // The engine failed: the next check repeats the request.
    }
    this.#isSyncing = false
    if (!this.#isDue) return
    this.#isDue = false
    this.sync()
  }

  #note({ places, isAwaited, given }: Allotment, needed: number): void {
    const { bus, owner } = this.#parts
    const hasMore = places > this.#held
    this.#held = places
    this.#isAwaited = isAwaited
    for (const other of given) bus.publish(topic, `given\n${this.#name}\n${other}`)
    if (places >= needed) this.#isAnnounced = false
    else if (!this.#isAnnounced) {
      this.#isAnnounced = true
      bus.publish(topic, `wanted\n${this.#name}\n${owner}`)
    }
    if (hasMore) this.#serve()
    if (isAwaited && this.#held > this.#used) this.#isDue = true
  }

  #serve(): void {
    for (const serve of [...this.#waits.keys()]) serve()
  }

  /** Including spare places, unless another process waits. */
  #wanted(needed: number): number {
    if (this.#isAwaited) return needed
    const peak = Math.max(this.#peak, this.#peakBefore, needed)
    return peak === 0 ? 0 : Math.max(needed, Math.min(this.limit, peak + (peak >> 1) + 2))
  }
}
