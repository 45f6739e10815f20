import type { Clock } from '../model/ports.ts'
import type { SharedBus } from '../model/shared/bus.ts'
import type { Places } from '../model/shared/places.ts'
import type { Allotment, SharedState } from '../model/shared/state.ts'

/**
 * The concurrency of each provider where several processes share it. A process has some of the places and returns idle
 * ones, so that a call usually finds one without asking. One that finds none asks for it, and waits its turn among
 * processes: while another waits, no process keeps a place that it does not use, and each place that becomes free goes
 * round.
 */
export interface SharedPlaces extends Disposable {
  /** Of one provider. The latest limit counts; its users before that are counted too. */
  of(pool: string, limit: number): Places
}

export type SharedPlacesParts = {
  readonly state: Pick<SharedState, 'allot'>
  readonly bus: SharedBus
  readonly owner: string
  readonly clock: Pick<Clock, 'now'>
}

/** Has every process look whether it can have more: places of a process that ended are free. */
export function announceFreed(bus: Pick<SharedBus, 'publish'>): void {
  bus.publish(topic, freed)
}

export function createSharedPlaces(parts: SharedPlacesParts): SharedPlaces {
  const pools = new Map<string, Pool>()
  const syncAll = () => {
    for (const pool of pools.values()) pool.sync()
  }
  const leave = parts.bus.subscribe(
    topic,
    (text) => {
      if (text === freed) return syncAll()
      const [event, name = '', about] = text.split('\n')
      if (event === 'given' ? about === parts.owner : about !== parts.owner) pools.get(name)?.heard(event)
    },
    syncAll,
  )
  const timer = setInterval(() => {
    for (const pool of pools.values()) pool.look()
  }, lookMs)
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
const freed = 'freed'

/** How often idle places are returned, and waiting processes ask again, in case a message was lost. */
const lookMs = 1000
/** An engine that lost its data is told after this many looks. */
const repeatLooks = 5
/** A process keeps as many places as it used at most within the last one to two of these, and half as many again. */
const peakMs = 10_000

class Pool implements Places {
  limit = 0
  readonly #name: string
  readonly #parts: SharedPlacesParts
  /** How many calls wait, by who serves them. */
  readonly #waits = new Map<() => void, number>()
  #held = 0
  #used = 0
  #waiting = 0
  /** Another process waits. */
  #isAwaited = false
  /** The others know that this process waits. */
  #isAnnounced = false
  #isSyncing = false
  #isDue = false
  #peak = 0
  #peakBefore = 0
  #peakAt: number
  #looks = 0

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
    // Those of another configuration.
    else this.#serve()
  }

  mayPassOn(): boolean {
    return !this.#isAwaited && this.#used <= this.#held
  }

  wait(serve: () => void): void {
    this.#waits.set(serve, (this.#waits.get(serve) ?? 0) + 1)
    this.#waiting++
    // While it waits, it is given one place after the other, and tells with each what it needs then.
    if (!this.#isAnnounced) this.#due()
  }

  endWait(serve: () => void): void {
    const left = (this.#waits.get(serve) ?? 0) - 1
    if (left > 0) this.#waits.set(serve, left)
    else this.#waits.delete(serve)
    this.#waiting--
    if (this.#waiting === 0 && this.#isAnnounced) this.#due()
  }

  heard(event: string | undefined): void {
    if (event === 'wanted') this.#isAwaited = true
    if (event === 'given' || this.#held > this.#used) this.#due()
  }

  look(): void {
    const now = this.#parts.clock.now()
    if (now - this.#peakAt >= peakMs) {
      this.#peakBefore = this.#peak
      this.#peak = this.#used
      this.#peakAt = now
    }
    this.#isAnnounced = false
    const isRepeated = this.#held > 0 && ++this.#looks % repeatLooks === 0
    const isTooMuch = this.#held - this.#wanted(this.#used) > this.#held >> 2
    if (this.#waiting > 0 || this.#isAwaited || isRepeated || isTooMuch) this.sync()
  }

  /** One step at a time, so that each knows what the one before gave. */
  sync(): void {
    if (this.#isSyncing) this.#isDue = true
    else void this.#sync()
  }

  /** Everything of one turn is one step. */
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
    // What is returned is not used meanwhile.
    const kept = Math.min(this.#held, this.#isAwaited ? used : wanted)
    const returned = this.#held - kept
    if (wanted + returned === 0 && !this.#isAnnounced) return
    this.#held = kept
    this.#isSyncing = true
    try {
      const step = { pool: this.#name, owner, limit: this.limit, used, returned, needed, wanted }
      this.#note(await state.allot(step), needed)
    } catch {
      // The engine was lost on the way: the next look asks again.
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

  /** With some to spare, unless another process waits. */
  #wanted(needed: number): number {
    if (this.#isAwaited) return needed
    const peak = Math.max(this.#peak, this.#peakBefore, needed)
    return peak === 0 ? 0 : Math.max(needed, Math.min(this.limit, peak + (peak >> 1) + 2))
  }
}
