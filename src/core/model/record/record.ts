import type { Failure } from '../failure.ts'
import { createLazySet, createPhraseSet, type LazySet } from '../lazy-set.ts'
import type { Consumption, Price, PriceNote } from '../price.ts'
import type { Kind, RateHeadroom, RelayKind, StrategyName, TenantNote, Usage } from '../terms.ts'
import type { CallTrace } from '../trace.ts'

/**
 * The wide row of one call, written once when it is over: ids, choices, durations and counts, never a prompt,
 * a completion or a key. All durations are milliseconds.
 */
export type CallRecord = {
  readonly id: string
  readonly dialect: string
  readonly startedEpochMs: number
  /** The caller's key, as an operator may see it; undefined when none is asked for. */
  principal: string | undefined
  /** Whose key it was, as budgets and reports name it; undefined: no key, and no budget of the gateway's. */
  tenant: TenantNote | undefined
  /** The caller's own user, as it is kept; undefined: none was named, or none is kept. */
  user: string | undefined
  /** The tightest limits of its rate, for the answer's headers. */
  rates: RateHeadroom | undefined
  /** The budget or limit that it met, or the bound it was sent with. */
  limit: string | undefined
  /** Whose the call is: `id` of its principal, for look-ups alone. Goes into no log; '' until the caller is known. */
  owner: string
  /** Its place in a trace; undefined: there are none. */
  trace: CallTrace | undefined
  kind: Kind | RelayKind | undefined
  model: string | undefined
  stream: boolean
  provider: string | undefined
  deployment: string | undefined
  /** The model that answered in place of the one that was asked for; absent: that one did. */
  successor?: string | undefined
  /** What the upstream calls the model, where the answer says another name. */
  upstreamModel: string | undefined
  status: number
  outcome: 'ok' | 'failed' | 'left'
  failure: Failure | undefined
  /** Of the caller's body, decompressed; and of what was written back. */
  requestBytes: number
  responseBytes: number
  /** Why it goes where it goes; undefined: it was not planned. */
  plan: PlanNote | undefined
  /** Those of the plan that were passed over, their breakers open; undefined: none. */
  passedOver: LeftOut[] | undefined
  /** How many upstream calls it was split into; 1 when it was not. */
  parts: number
  readonly attempts: AttemptRecord[]
  /** Reading and validating the body. */
  parseMs: number
  /** From the first attempt's start to the first visible delta, or to the whole of a JSON reply. */
  firstTokenMs: number | undefined
  /** Waiting between attempts. */
  backoffMs: number
  /** The whole call, from headers in to last byte out. */
  totalMs: number
  /** The gateway's own share of the time to the first byte: what is left when attempts and waits are taken out. */
  overheadMs: number
  usage: Usage | undefined
  /** True when a count was made here, because the upstream gave none. */
  usageEstimated: boolean
  /** Of all attempts, in whole nano-USD; undefined where a price is not known. */
  costNanoUsd: number | undefined
  /** True when some of what was paid for was counted here, and not by its upstream. */
  costEstimated: boolean
  /** What upstreams may have charged beside that without telling, at worst; 0 where no money was held for the call. */
  uncertainNanoUsd: number
  /** What was charged beyond what was held for the call. */
  overrunNanoUsd: number
  /** What savings are measured against; undefined until the call was planned. */
  baseline: Baseline | undefined
  /** What the work that reached the caller would have cost there. */
  baselineNanoUsd: number | undefined
  /** The baseline's cost less the call's own; negative when more was spent. */
  savedNanoUsd: number | undefined
  /** Answered without an upstream call of its own; undefined: it had one. */
  cache: 'hit' | 'coalesced' | 'replay' | undefined
  /** The answer took longer than the slow threshold. */
  slow: boolean
  readonly dropped: LazySet
  readonly converted: LazySet
  /** Oddities of an upstream's answer that were repaired: `usage_clamped`, `usage_partial`, `text_after_finish`. */
  readonly flags: LazySet
}

export type AttemptRecord = {
  readonly deployment: string
  /** Absent: the gateway answered itself. */
  readonly provider?: string | undefined
  /** Which part of a fanned-out call, from 0. */
  readonly part: number
  /** Since the call began; a wait in the upstream's queue was before it. */
  readonly startMs: number
  /** That wait; absent: there was none. */
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
  /** What the deployment charged when the attempt began. */
  readonly price: Price
  /** Where that price comes from; absent: nobody keeps it, or no price is known. */
  readonly priceOrigin?: PriceNote | undefined
  /** Undefined: it did no work, as far as is known. */
  used: Consumption | undefined
  /** How long the upstream says it worked, in milliseconds; absent: it does not say. */
  billedMs?: number | undefined
  /** Some of what is to be paid was counted here, or taken to be nothing. */
  isEstimated: boolean
  /** Its answer went to the caller, whole or in part. */
  isDelivered: boolean
  /** It took up an answer where another attempt broke off: that one's words were part of its prompt. */
  readonly isResumed: boolean
  /** It may have been billed, though no usage was reported. */
  isUncertain: boolean
  /** In whole nano-USD; 0 where nothing was used, undefined where the price is not known. */
  costNanoUsd: number | undefined
  /** The most it could cost, as it was held for it; absent: nothing was held. */
  heldNanoUsd?: number | undefined
}

/** A record at the moment its call begins. */
export function startRecord(id: string, dialect: string, startedEpochMs = 0): CallRecord {
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
    attempts: [],
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

/** What is known of an attempt when it begins. */
export type AttemptStart = Pick<AttemptRecord, 'deployment' | 'startMs' | 'price'> &
  Partial<Pick<AttemptRecord, 'provider' | 'part' | 'queuedMs' | 'priceOrigin'>> & {
    readonly isResumed?: boolean | undefined
  }

/** The row of an attempt at that moment; all its members are there, so that all rows have one shape. */
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

/** A call's plan, as far as its record keeps it. */
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

/** In nano-USD, rounded; undefined where it is not known. */
export type ExpectedCost = { readonly deployment: string; readonly nanoUsd: number | undefined }

/** Where calls would run without routing: a route's first deployment, or one that the operator names. */
export type Baseline = {
  readonly deployment: string
  readonly price: Price
  /** How long one such attempt takes there, where time is paid for: undefined when that is not known. */
  readonly workedMs: number | undefined
}
