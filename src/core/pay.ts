import {
  boundNanoUsd,
  callersBound,
  isCount,
  mostWithin,
  promptBound,
  type UseBound,
} from './account/cost-bound.ts'
import type { OpenRecord } from './account/open-record.ts'
import { choicesWanted } from './adapt/adapt-call.ts'
import type { AnyCall } from './model/call.ts'
import type { Deployment } from './model/ports.ts'
import type { CostBound, Payer, Shortage } from './model/tenant.ts'
import type { Plan } from './plan/router.ts'

/** A call with its hold, and what the hold covers. */
export type Paid<SomeCall extends AnyCall> = {
  /** With its token bound set. */
  readonly call: SomeCall
  /** The deployments whose budgets have room. */
  readonly plan: Plan
  /** Per request: the most that an attempt may use within the hold. */
  readonly use: UseBound
  /** The budget had no room for the whole answer, so the hold grows with the answer. */
  readonly isSliced: boolean
  /** The most that the whole answer may use: a hold that grows grows no further. */
  readonly mostOutputTokens: number
  /** Its answer is limited to what the budget had left. */
  readonly isClamped: boolean
}

export type PayParts<SomeCall extends AnyCall> = {
  readonly payer: Payer
  readonly call: SomeCall
  readonly plan: Plan
  readonly record: Pick<OpenRecord, 'limitedBy'>
  /** How many upstream requests the call becomes. */
  readonly requests: number
  /** Its answer may be paid for slice by slice. */
  readonly isDivisible: boolean
  readonly untilEpochMs: number
}

/**
 * Holds the highest cost of a call over its deployments: the whole; else, if its answer can be paid for slice by slice,
 * the first slice; else what the budget has left, if that is allowed. Rejects with a Failure if none of these can be
 * held, and then holds nothing.
 */
export async function pay<SomeCall extends AnyCall>(parts: PayParts<SomeCall>): Promise<Paid<SomeCall>> {
  const { payer, record } = parts
  const bounded = boundOf({ ...parts, call: unambiguous(parts.call) })
  const { call, use } = bounded
  let plan = parts.plan
  let shortage = await reserve(parts, plan, use)
  while (shortage !== undefined && shortage.providers.length > 0) {
    const left = without(plan, shortage.providers)
    if (left === undefined) break
    plan = left
    shortage = await reserve(parts, plan, use)
  }
  const mostOutputTokens = use.outputTokens
  const sliced = shortage !== undefined && parts.isDivisible ? await payFirst(parts, plan, use) : undefined
  if (shortage === undefined || sliced !== undefined) {
    if (bounded.isAssumed) record.limitedBy(`max_tokens/${bounded.outputTokens}`)
    return { ...{ call, plan, use, isSliced: false, isClamped: false }, ...sliced, mostOutputTokens }
  }
  const clamped = payer.terms.clamp ? await payRest(parts, plan, use, shortage) : undefined
  if (clamped === undefined) throw shortage.failure
  return clamped
}

/** An upstream that read another of two bounds or prompts could charge more than is held. */
function unambiguous<SomeCall extends AnyCall>(call: SomeCall): SomeCall {
  const body = call.body.withoutRepeats()
  return body === call.body ? call : { ...call, body }
}

type Bounded<SomeCall extends AnyCall> = {
  readonly call: SomeCall
  readonly use: UseBound
  /** For one answer. */
  readonly outputTokens: number
  /** True if the caller gave no bound. */
  readonly isAssumed: boolean
}

function boundOf<SomeCall extends AnyCall>({
  call,
  plan,
  payer,
  requests,
}: PayParts<SomeCall>): Bounded<SomeCall> {
  const promptTokens = promptBound(call) * requests
  if (!isCompletion(call))
    return { call, use: { promptTokens, outputTokens: 0 }, outputTokens: 0, isAssumed: false }
  const choices = choicesWanted(call as never)
  const requested = callersBound(call)
  const outputTokens = requested ?? Math.min(...plan.map((place) => outputBound(place, payer)))
  const isAssumed = requested === undefined
  return {
    call: isAssumed ? withBound(call, outputTokens) : call,
    use: { promptTokens, outputTokens: outputTokens * choices },
    outputTokens,
    isAssumed,
  }
}

function outputBound({ traits }: Deployment, { terms }: Payer): number {
  return traits.maxOutputTokens ?? Math.min(terms.assumedOutputTokens, traits.contextTokens ?? Infinity)
}

/** Holds the first slice of an answer, at deployments that do not bill cancelled tokens. */
async function payFirst(
  parts: PayParts<AnyCall>,
  plan: Plan,
  use: UseBound,
): Promise<Pick<Paid<AnyCall>, 'plan' | 'use' | 'isSliced'> | undefined> {
  const { sliceTokens } = parts.payer.terms
  const stopping = plan.filter(({ stopsOnAbort }) => stopsOnAbort === true)
  const first = { ...use, outputTokens: Math.min(sliceTokens, use.outputTokens) }
  if (!isPlan(stopping) || first.outputTokens === use.outputTokens) return undefined
  const shortage = await reserve(parts, stopping, first)
  return shortage === undefined ? { plan: stopping, use: first, isSliced: true } : undefined
}

/** Holds what is left, and limits the answer to it. */
async function payRest<SomeCall extends AnyCall>(
  parts: PayParts<SomeCall>,
  plan: Plan,
  use: UseBound,
  { roomNanoUsd }: Shortage,
): Promise<Paid<SomeCall> | undefined> {
  const { call, record } = parts
  const choices = isCompletion(call) ? choicesWanted(call as never) : 0
  if (choices === 0) return undefined
  const outputTokens = Math.min(...plan.map((place) => affordable(place, use, roomNanoUsd)))
  const each = Math.floor(outputTokens / choices)
  if (each < 1) return undefined
  const less = { ...use, outputTokens: each * choices }
  if ((await reserve(parts, plan, less)) !== undefined) return undefined
  record.limitedBy(`max_tokens/${each}`)
  const terms = { isSliced: false, isClamped: true, mostOutputTokens: less.outputTokens }
  return { call: withBound(call, each), plan, use: less, ...terms }
}

/** How many output tokens an amount pays for. */
function affordable(place: Deployment, use: UseBound, nanoUsd: number): number {
  const costOf = (outputTokens: number) => boundNanoUsd(place, { ...use, outputTokens })
  return mostWithin(use.outputTokens, (tokens) => costOf(tokens) <= nanoUsd)
}

function reserve(
  { payer, untilEpochMs }: PayParts<AnyCall>,
  plan: Plan,
  use: UseBound,
): Promise<Shortage | undefined> {
  const bounds: CostBound[] = []
  for (let at = 0; at < plan.length; at++) {
    const place = plan[at]
    if (place !== undefined && plan.indexOf(place) === at)
      bounds.push({ provider: place.upstream.name, nanoUsd: boundNanoUsd(place, use) })
  }
  return payer.reserve(bounds, untilEpochMs)
}

function without(plan: Plan, providers: readonly string[]): Plan | undefined {
  const left = plan.filter(({ upstream }) => !providers.includes(upstream.name))
  return isPlan(left) ? left : undefined
}

function withBound<SomeCall extends AnyCall>(call: SomeCall, tokens: number): SomeCall {
  const { max_tokens: older, max_completion_tokens: newer } = call.body.value
  const edits = {
    ...(newer === undefined || isCount(older) ? { max_tokens: tokens } : {}),
    ...(newer === undefined ? {} : { max_completion_tokens: tokens }),
  }
  return { ...call, body: call.body.with(edits) }
}

function isCompletion({ kind }: AnyCall): boolean {
  return kind === 'chat' || kind === 'text'
}

function isPlan(places: readonly Deployment[]): places is Plan {
  return places.length > 0
}
