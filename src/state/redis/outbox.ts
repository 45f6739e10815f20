import type { Charge, Rate, RateAmount } from '../../core/model/shared/state.ts'
import type { Reply } from './connection.ts'

/**
 * Reports of a process to Redis that need no answer: settlements, charges, releases. They are applied in order, exactly
 * once: a batch with an unknown outcome is sent again under its number.
 */
export interface Outbox {
  /** Adds a step; resolves with its result once it is applied. */
  push(step: readonly (string | number)[]): Promise<readonly number[]>
  charge(counter: string, nanoUsd: number): Promise<unknown>
  refund(amount: RateAmount): Promise<unknown>
  /**
   * To be called if Redis lost its data: the charges of a batch in flight may have been counted, and become uncertain.
   */
  markUncertain(): void
  /** Whether a step with this letter and id is waiting or being sent. */
  includes(letter: string, id: string): boolean
  /** Events from while Redis was unavailable are not reported yet. */
  readonly hasBacklog: boolean
  /** Until `endLate`, spent amounts are reported as late, if other nodes may still restore what was spent before. */
  noteReconnect(isLate: boolean): void
  endLate(): void
  /** Sends the waiting steps. Does nothing while a batch is being sent. */
  flush(): void
  /** Resolves with true when everything added so far is applied, and with false if Redis is lost before. */
  delivered(): Promise<boolean>
  /** To be called when Redis is lost: what is waiting stays until it is back. */
  lost(): void
  /** Waiting steps; a sum counts as one. */
  readonly size: number
}

export type Step = readonly (string | number)[]

export type OutboxParts = {
  /** Sends a batch; null: it was applied before. Rejects if the outcome is unknown. */
  readonly send: (number: number, field: 's' | 'm', steps: readonly Step[]) => Promise<Reply>
  readonly keepMs: (counter: string) => number
  /** The known state of a counter. */
  readonly noteSpent: (field: 's' | 'm' | 'u', counter: string, nanoUsd: number) => void
}

export function createOutbox(parts: OutboxParts): Outbox {
  return new Queue(parts)
}

/** `S`, `K` and `T` as in the script. */
export function chargesStep(letter: 'S' | 'K' | 'T', id: string, charges: readonly Charge[]): Step {
  const parts = charges.flatMap(({ counter, spentNanoUsd, uncertainNanoUsd }) => [
    ...[counter, spentNanoUsd, uncertainNanoUsd],
  ])
  return [letter, id, charges.length, ...parts]
}

/** Additive amounts are summed while they wait. */
type Sums = {
  readonly charges: Map<string, number>
  readonly refunds: Map<string, { readonly rate: Rate; amount: number }>
  readonly delivered: PromiseWithResolvers<void>
}

type Waiting = { readonly step: Step; readonly resolve: (results: readonly number[]) => void }

type Batch = {
  readonly number: number
  readonly field: 's' | 'm'
  readonly steps: readonly Step[]
  readonly deliver: (results: readonly (readonly number[])[] | undefined) => void
}

class Queue implements Outbox {
  readonly #parts: OutboxParts
  #waiting: Waiting[] = []
  #sums = emptySums()
  #batch: Batch | undefined
  #isSending = false
  #number = 0
  #isLate = false
  #hasBacklog = false
  #idle = Promise.withResolvers<boolean>()

  constructor(parts: OutboxParts) {
    this.#parts = parts
  }

  get size(): number {
    const { charges, refunds } = this.#sums
    return this.#waiting.length + charges.size + refunds.size + (this.#batch?.steps.length ?? 0)
  }

  push(step: Step): Promise<readonly number[]> {
    const { promise, resolve } = Promise.withResolvers<readonly number[]>()
    this.#waiting.push({ step, resolve })
    return promise
  }

  charge(counter: string, nanoUsd: number): Promise<unknown> {
    const { charges, delivered } = this.#sums
    charges.set(counter, (charges.get(counter) ?? 0) + nanoUsd)
    return delivered.promise
  }

  refund({ amount, ...rate }: RateAmount): Promise<unknown> {
    const { refunds, delivered } = this.#sums
    const known = refunds.get(rate.key)
    if (known === undefined) refunds.set(rate.key, { rate, amount })
    else known.amount += amount
    return delivered.promise
  }

  markUncertain(): void {
    if (this.#batch === undefined) return
    this.#batch = { ...this.#batch, steps: this.#batch.steps.map(withUncertain) }
  }

  includes(letter: string, id: string): boolean {
    const is = (step: Step) => step[0] === letter && step[1] === id
    return this.#waiting.some(({ step }) => is(step)) || (this.#batch?.steps.some(is) ?? false)
  }

  get hasBacklog(): boolean {
    return this.#hasBacklog && this.size > 0
  }

  noteReconnect(isLate: boolean): void {
    this.#isLate = isLate
    this.#hasBacklog = true
  }

  endLate(): void {
    this.#isLate = false
  }

  flush(): void {
    if (this.#isSending) return
    this.#batch ??= this.#nextBatch()
    if (this.#batch !== undefined) void this.#send(this.#batch)
  }

  async delivered(): Promise<boolean> {
    return this.size === 0 || (await this.#idle.promise)
  }

  lost(): void {
    this.#idle.resolve(false)
    this.#idle = Promise.withResolvers()
  }

  async #send(batch: Batch): Promise<void> {
    this.#isSending = true
    let reply: Reply
    try {
      reply = await this.#parts.send(batch.number, batch.field, batch.steps)
    } catch {
      // The batch is sent again once there is a connection.
      this.#isSending = false
      return
    }
    this.#isSending = false
    this.#batch = undefined
    const results = Array.isArray(reply) ? (reply as readonly (readonly number[])[]) : undefined
    if (results !== undefined) this.#note(batch, results)
    batch.deliver(results)
    if (this.size > 0) return this.flush()
    this.#hasBacklog = false
    this.#idle.resolve(true)
    this.#idle = Promise.withResolvers()
  }

  #note({ field, steps }: Batch, results: readonly (readonly number[])[]): void {
    const { noteSpent } = this.#parts
    for (const [at, [letter, ...args]] of steps.entries()) {
      const result = results[at] ?? []
      if (letter === 'C') noteSpent(field, String(args[0]), result[0] ?? 0)
      if (letter !== 'S' && letter !== 'K' && letter !== 'T') continue
      // A result has two numbers per charge, which has three.
      for (let part = 0; 1 + 2 * part < result.length; part++) {
        noteSpent(field, String(args[2 + 3 * part]), result[1 + 2 * part] ?? 0)
        noteSpent('u', String(args[2 + 3 * part]), result[2 + 2 * part] ?? 0)
      }
    }
  }

  #nextBatch(): Batch | undefined {
    const taken = this.#waiting.splice(0, mostSteps)
    const { charges, refunds, delivered } = this.#sums
    const sums: Step[] = [
      ...Array.from(
        charges,
        ([counter, nanoUsd]): Step => ['C', counter, nanoUsd, this.#parts.keepMs(counter)],
      ),
      ...Array.from(
        refunds.values(),
        ({ rate, amount }): Step => ['R', rate.key, rate.perMinute, rate.burst, amount],
      ),
    ]
    const steps = [...taken.map(({ step }) => step), ...sums]
    if (steps.length === 0) return undefined
    this.#sums = emptySums()
    this.#number++
    return {
      number: this.#number,
      field: this.#isLate ? 'm' : 's',
      steps,
      deliver(results) {
        for (const [at, { resolve }] of taken.entries()) resolve(results?.[at] ?? unknownResult)
        delivered.resolve()
      },
    }
  }
}

function withUncertain(step: Step): Step {
  const [letter, id = '', count = 0, ...charges] = step
  if (letter !== 'S' && letter !== 'T') return step
  const parts = charges.map((value, at) => {
    // Counter, spent, uncertain.
    if (at % 3 === 0) return value
    return at % 3 === 1 ? 0 : Number(value) + Number(charges[at - 1])
  })
  return ['K', id, count, ...parts]
}

/** A script blocks all others while it runs. */
const mostSteps = 256

/** For a batch that was applied before its connection was lost. */
const unknownResult: readonly number[] = [1]

function emptySums(): Sums {
  return { charges: new Map(), refunds: new Map(), delivered: Promise.withResolvers() }
}
