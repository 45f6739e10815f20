import type { Charge, Rate, RateAmount } from '../../core/model/shared/state.ts'
import type { Reply } from './connection.ts'

/**
 * What a process has to tell Redis, and needs no answer to go on: what was settled, charged, given back. It is told in
 * order and once: a batch that may or may not have arrived is told again under its number.
 */
export interface Outbox {
  /** Adds a step; resolves with what came of it, once it was told. */
  push(step: readonly (string | number)[]): Promise<readonly number[]>
  charge(counter: string, nanoUsd: number): Promise<unknown>
  refund(amount: RateAmount): Promise<unknown>
  /** The data that a batch was on its way to are lost: what it charged may be counted elsewhere, and is uncertain. */
  doubt(): void
  /** A step of this letter for this id waits, or is on its way. */
  names(letter: string, id: string): boolean
  /** What happened while Redis was away is not told yet. */
  readonly hasBacklog: boolean
  /** From now on, what is spent counts as told late, until all of it is told. */
  markLate(): void
  /** Tells what there is. Does nothing while a batch is on its way. */
  flush(): void
  /** Resolves when all that is there now has been told. */
  told(): Promise<void>
  /** Steps that wait, sums counted as one each. */
  readonly size: number
}

export type Step = readonly (string | number)[]

export type OutboxParts = {
  /** Tells a batch; null: it was told before. Rejects where it is not known whether it arrived. */
  readonly tell: (number: number, field: 's' | 'm', steps: readonly Step[]) => Promise<Reply>
  readonly keepMs: (counter: string) => number
  /** What a counter is known to stand at. */
  readonly noteSpent: (field: 's' | 'm' | 'u', counter: string, nanoUsd: number) => void
}

export function createOutbox(parts: OutboxParts): Outbox {
  return new Queue(parts)
}

/** `S`, `K` and `T` as the script has them. */
export function chargesStep(letter: 'S' | 'K' | 'T', id: string, charges: readonly Charge[]): Step {
  const parts = charges.flatMap(({ counter, spentNanoUsd, uncertainNanoUsd }) => [
    ...[counter, spentNanoUsd, uncertainNanoUsd],
  ])
  return [letter, id, charges.length, ...parts]
}

/** What adds up waits as one sum. */
type Sums = {
  readonly charges: Map<string, number>
  readonly refunds: Map<string, { readonly rate: Rate; amount: number }>
  readonly told: PromiseWithResolvers<void>
}

type Waiting = { readonly step: Step; readonly resolve: (results: readonly number[]) => void }

type Batch = {
  readonly number: number
  readonly field: 's' | 'm'
  readonly steps: readonly Step[]
  readonly told: (results: readonly (readonly number[])[] | undefined) => void
}

class Queue implements Outbox {
  readonly #parts: OutboxParts
  #waiting: Waiting[] = []
  #sums = emptySums()
  #batch: Batch | undefined
  #isOnItsWay = false
  #number = 0
  #isLate = false
  #idle = Promise.withResolvers<void>()

  constructor(parts: OutboxParts) {
    this.#parts = parts
    this.#idle.resolve()
  }

  get size(): number {
    const { charges, refunds } = this.#sums
    return this.#waiting.length + charges.size + refunds.size + (this.#batch?.steps.length ?? 0)
  }

  push(step: Step): Promise<readonly number[]> {
    const { promise, resolve } = Promise.withResolvers<readonly number[]>()
    this.#noteBusy()
    this.#waiting.push({ step, resolve })
    return promise
  }

  charge(counter: string, nanoUsd: number): Promise<unknown> {
    this.#noteBusy()
    const { charges, told } = this.#sums
    charges.set(counter, (charges.get(counter) ?? 0) + nanoUsd)
    return told.promise
  }

  refund({ amount, ...rate }: RateAmount): Promise<unknown> {
    this.#noteBusy()
    const { refunds, told } = this.#sums
    const known = refunds.get(rate.key)
    if (known === undefined) refunds.set(rate.key, { rate, amount })
    else known.amount += amount
    return told.promise
  }

  doubt(): void {
    if (this.#batch === undefined) return
    this.#batch = { ...this.#batch, steps: this.#batch.steps.map(doubted) }
  }

  names(letter: string, id: string): boolean {
    const is = (step: Step) => step[0] === letter && step[1] === id
    return this.#waiting.some(({ step }) => is(step)) || (this.#batch?.steps.some(is) ?? false)
  }

  get hasBacklog(): boolean {
    return this.#isLate && this.size > 0
  }

  markLate(): void {
    this.#isLate = true
  }

  flush(): void {
    if (this.#isOnItsWay) return
    this.#batch ??= this.#nextBatch()
    if (this.#batch !== undefined) void this.#send(this.#batch)
  }

  async told(): Promise<void> {
    if (this.size > 0) await this.#idle.promise
  }

  async #send(batch: Batch): Promise<void> {
    this.#isOnItsWay = true
    let reply: Reply
    try {
      reply = await this.#parts.tell(batch.number, batch.field, batch.steps)
    } catch {
      // It is told again once there is somebody to tell it to.
      this.#isOnItsWay = false
      return
    }
    this.#isOnItsWay = false
    this.#batch = undefined
    const results = Array.isArray(reply) ? (reply as readonly (readonly number[])[]) : undefined
    if (results !== undefined) this.#note(batch, results)
    batch.told(results)
    if (this.size > 0) return this.flush()
    this.#isLate = false
    this.#idle.resolve()
  }

  #note({ field, steps }: Batch, results: readonly (readonly number[])[]): void {
    const { noteSpent } = this.#parts
    for (const [at, [letter, ...args]] of steps.entries()) {
      const result = results[at] ?? []
      if (letter === 'C') noteSpent(field, String(args[0]), result[0] ?? 0)
      if (letter !== 'S' && letter !== 'K' && letter !== 'T') continue
      // A result has two numbers for each charge, which has three.
      for (let part = 0; 1 + 2 * part < result.length; part++) {
        noteSpent(field, String(args[2 + 3 * part]), result[1 + 2 * part] ?? 0)
        noteSpent('u', String(args[2 + 3 * part]), result[2 + 2 * part] ?? 0)
      }
    }
  }

  #nextBatch(): Batch | undefined {
    const taken = this.#waiting.splice(0, mostSteps)
    const { charges, refunds, told } = this.#sums
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
      told(results) {
        for (const [at, { resolve }] of taken.entries()) resolve(results?.[at] ?? unknownResult)
        told.resolve()
      },
    }
  }

  #noteBusy(): void {
    if (this.size === 0) this.#idle = Promise.withResolvers()
  }
}

function doubted(step: Step): Step {
  const [letter, id = '', count = 0, ...charges] = step
  if (letter !== 'S' && letter !== 'T') return step
  const parts = charges.map((value, at) => {
    // Counter, spent, uncertain.
    if (at % 3 === 0) return value
    return at % 3 === 1 ? 0 : Number(value) + Number(charges[at - 1])
  })
  return ['K', id, count, ...parts]
}

/** A script holds up all others while it runs. */
const mostSteps = 256

/** It was told before its connection was lost. */
const unknownResult: readonly number[] = [1]

function emptySums(): Sums {
  return { charges: new Map(), refunds: new Map(), told: Promise.withResolvers() }
}
