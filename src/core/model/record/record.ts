import type { Failure } from '../failure.ts'
import { createLazySet, createPhraseSet, type LazySet } from '../lazy-set.ts'
import type { Consumption, Price, PriceNote } from '../price.ts'
import type { Kind, RateHeadroom, RelayKind, StrategyName, TenantNote, Usage } from '../terms.ts'
import type { CallTrace } from '../trace.ts'

/**
 * The wide row of one call, written once when it is over: ids, choices, durations and counts, never a prompt, a
 * completion or a key. All durations are milliseconds.
 */
export type CallRecord = {
  readonly id: string
  readonly dialect: string
  readonly startedEpochMs: number
  /** The caller's key as operators see it; undefined if none is required. */
  readonly principal: string | undefined
  /** The tenant for budgets and reports; undefined: neither a key nor a budget of the gateway applied. */
  readonly tenant: TenantNote | undefined
  /** The caller's own user, as records keep it; undefined: none was named, or none is kept. */
  readonly user: string | undefined
  /** The tightest limits of its rate, for the answer's headers. */
  readonly rates: RateHeadroom | undefined
  /** The budget or limit that applied, or the bound it was sent with. */
  readonly limit: string | undefined
  /** The tenant: `id` of its principal, for look-ups only. Goes into no log; '' until the caller is known. */
  readonly owner: string
  /** Its trace context; undefined: tracing is off. */
  readonly trace: CallTrace | undefined
  readonly kind: Kind | RelayKind | undefined
  readonly model: string | undefined
  readonly stream: boolean
  readonly provider: string | undefined
  readonly deployment: string | undefined
  /** The model that answered in place of the requested one; absent: that one did. */
  readonly successor?: string | undefined
  /** The upstream's name of the model, if the answer has another. */
  readonly upstreamModel: string | undefined
  readonly status: number
  readonly outcome: 'ok' | 'failed' | 'left'
  readonly failure: Failure | undefined
  /** The caller's body, decompressed; and the response. */
  readonly requestBytes: number
  readonly responseBytes: number
  /** The routing decision; undefined: it was not planned. */
  readonly plan: PlanNote | undefined
  /** Deployments of the plan that were skipped because their breakers were open; undefined: none. */
  readonly passedOver: readonly LeftOut[] | undefined
  /** How many upstream calls it was split into; 1 when it was not. */
  readonly parts: number
  readonly attempts: readonly AttemptRecord[]
  /** Reading and validating the body. */
  readonly parseMs: number
  /** From the first attempt's start to the first visible delta, or to the whole of a JSON reply. */
  readonly firstTokenMs: number | undefined
  /** Waiting between attempts. */
  readonly backoffMs: number
  /** The whole call, from headers in to last byte out. */
  readonly totalMs: number
  /** The gateway's own share of the time to the first byte, without attempts and waits. */
  readonly overheadMs: number
  readonly usage: Usage | undefined
  /** True if the gateway made a count, because the upstream reported none. */
  readonly usageEstimated: boolean
  /** Over all attempts, in whole nano-USD; undefined if a price is unknown. */
  readonly costNanoUsd: number | undefined
  /** True if some of the billed usage was counted here. */
  readonly costEstimated: boolean
  /** What upstreams may have billed in addition without reporting it, at most; 0 if no money was held for the call. */
  readonly uncertainNanoUsd: number
  /** What was billed beyond the hold: set when the hold is settled, which is after the record is closed. */
  overrunNanoUsd: number
  /** The reference for savings; undefined until the call was planned. */
  readonly baseline: Baseline | undefined
  /** What the delivered work would have cost at the baseline. */
  readonly baselineNanoUsd: number | undefined
  /** The baseline's cost minus the call's cost; negative if more was spent. */
  readonly savedNanoUsd: number | undefined
  /** Answered without an upstream call of its own; undefined: it made one. */
  readonly cache: 'hit' | 'coalesced' | 'replay' | undefined
  /** The answer took longer than the slow threshold. */
  readonly slow: boolean
  readonly dropped: LazySet
  readonly converted: LazySet
  /** Oddities of an upstream's answer that were repaired: `usage_clamped`, `usage_partial`, `text_after_finish`. */
  readonly flags: LazySet
}

export type AttemptRecord = {
  readonly deployment: string
  /** Absent: the gateway itself answered. */
  readonly provider?: string | undefined
  /** Which part of a split call, from 0. */
  readonly part: number
  /** Since the start of the call; the wait in the upstream's queue came before it. */
  readonly startMs: number
  /** How long it waited in that queue; absent: it did not. */
  readonly queuedMs?: number | undefined
  headersMs: number | undefined
  firstTokenMs: number | undefined
  totalMs: number
  /** `ok`, or the kind of the failure. */
  outcome: string
  /** Absent: it was answered. */
  failure?: Failure | undefined
  upstreamStatus: number | undefined
  upstreamRequestId: string | undefined
  /** An unknown finish reason of its answer. */
  unknownReason?: string | undefined
  /** The deployment's price when the attempt began. */
  readonly price: Price
  /** The source of that price; absent: unknown, or the price is. */
  readonly priceOrigin?: PriceNote | undefined
  /** Undefined: as far as is known, it did no work. */
  used: Consumption | undefined
  /** How long the upstream says it worked, in milliseconds; absent: not reported. */
  billedMs?: number | undefined
  /** Some of the usage was counted here, or assumed to be zero. */
  isEstimated: boolean
  /** Its answer went to the caller, whole or in part. */
  isDelivered: boolean
  /** It continued an answer that another attempt broke off, whose text was part of its prompt. */
  readonly isResumed: boolean
  /** It may have been billed, though no usage was reported. */
  isUncertain: boolean
  /** In whole nano-USD; 0 if nothing was used, undefined if the price is unknown. */
  costNanoUsd: number | undefined
  /** The hold for it, the most that it could cost; absent: nothing was held. */
  heldNanoUsd?: number | undefined
}

/** A record at the moment its call begins. */
export function startRecord(
  id: string,
  dialect: string,
  startedEpochMs = 0,
  attempts: readonly AttemptRecord[] = [],
): CallRecord {
  return {
    id,
    dialect,
    startedEpochMs,
    principal: undefined,
    tenant: undefined,
    user: undefined,
    rates: undefined,
    limit: undefined,
    owner: '',
    trace: undefined,
    kind: undefined,
    model: undefined,
    stream: false,
    provider: undefined,
    deployment: undefined,
    upstreamModel: undefined,
    status: 0,
    outcome: 'ok',
    failure: undefined,
    requestBytes: 0,
    responseBytes: 0,
    plan: undefined,
    passedOver: undefined,
    parts: 1,
    attempts,
    parseMs: 0,
    firstTokenMs: undefined,
    backoffMs: 0,
    totalMs: 0,
    overheadMs: 0,
    usage: undefined,
    usageEstimated: false,
    costNanoUsd: undefined,
    costEstimated: false,
    uncertainNanoUsd: 0,
    overrunNanoUsd: 0,
    baseline: undefined,
    baselineNanoUsd: undefined,
    savedNanoUsd: undefined,
    cache: undefined,
    slow: false,
    dropped: createLazySet(),
    converted: createPhraseSet(),
    flags: createLazySet(),
  }
}

/** The facts about an attempt that are known when it begins. */
export type AttemptStart = Pick<AttemptRecord, 'deployment' | 'startMs' | 'price'> &
  Partial<Pick<AttemptRecord, 'provider' | 'part' | 'queuedMs' | 'priceOrigin'>> & {
    readonly isResumed?: boolean | undefined
  }

/** The row of an attempt when it begins. All members are present, so that all rows have one shape. */
export function startAttempt({
  deployment,
  provider,
  part = 0,
  startMs,
  queuedMs,
  price,
  priceOrigin,
  isResumed = false,
}: AttemptStart): AttemptRecord {
  return {
    deployment,
    provider,
    part,
    startMs,
    queuedMs,
    headersMs: undefined,
    firstTokenMs: undefined,
    totalMs: 0,
    outcome: 'ok',
    failure: undefined,
    upstreamStatus: undefined,
    upstreamRequestId: undefined,
    price,
    priceOrigin,
    used: undefined,
    billedMs: undefined,
    isEstimated: false,
    isDelivered: false,
    isResumed,
    isUncertain: false,
    costNanoUsd: undefined,
  }
}

/** The part of a call's plan that its record keeps. */
export type PlanNote = {
  readonly strategy: StrategyName
  /** The name or pattern of the route. */
  readonly route: string
  /** The deployments to try, in order, each once. */
  readonly order: readonly string[]
  readonly leftOut: readonly LeftOut[]
  /** Of the first three; undefined: nothing was weighed. */
  readonly expected: readonly ExpectedCost[]
}

/** `why`: the filter that removed it. */
export type LeftOut = { readonly deployment: string; readonly why: string }

/** In nano-USD, rounded; undefined if unknown. */
export type ExpectedCost = { readonly deployment: string; readonly nanoUsd: number | undefined }

/** Where calls would run without routing: a route's first deployment, or one that the operator names. */
export type Baseline = {
  readonly deployment: string
  readonly price: Price
  /** How long one such attempt takes there, where time is billed; undefined if unknown. */
  readonly workedMs: number | undefined
}
