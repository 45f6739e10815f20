import { Failure } from '../core/model/failure.ts'
import { matchesPattern } from '../core/model/pattern.ts'
import type { Admittance, Rate, RateAmount, RateReading, Slot } from '../core/model/shared/state.ts'
import type { Entrance } from '../core/model/tenant.ts'
import type { Headroom, RateHeadroom } from '../core/model/terms.ts'
import { safe } from './budgets/refusal.ts'
import type { Desk } from './desk.ts'
import type { RateRule } from './keys/key.ts'
import type { ModelRates } from './settings.ts'

/** All rate limits of the calls of one key, in the terms of the shared state. */
export type RateSet = {
  readonly requests: readonly NamedRate[]
  readonly tokens: readonly NamedRate[]
  readonly slots: readonly NamedSlot[]
}

type NamedRate = Rate & { readonly of: string }
type NamedSlot = Slot & { readonly of: string }

/** The owner of the rule: `key:…`, as a key of the shared state, and as people see it. */
export type RateOwner = { readonly id: string; readonly name: string; readonly rule: RateRule }

export function rateSetOf(owners: readonly RateOwner[]): RateSet {
  return {
    requests: owners.flatMap(({ id, name, rule: { rpm } }) => rateOf(`rpm/${id}`, name, rpm)),
    tokens: owners.flatMap(({ id, name, rule: { tpm } }) => rateOf(`tpm/${id}`, name, tpm)),
    slots: owners.flatMap(({ id, name, rule: { concurrency } }) =>
      concurrency === undefined ? [] : [{ key: `calls/${id}`, of: name, limit: concurrency }],
    ),
  }
}

/** The limits of models, in addition to a key's own. Each pattern has one bucket for all models that match it. */
export function modelOwners(rates: readonly ModelRates[], model: string): readonly RateOwner[] {
  return rates
    .filter(({ pattern }) => matchesPattern(model, pattern))
    .map((rule) => ({ id: `model:${rule.pattern}`, name: `model ${rule.pattern}`, rule }))
}

/** What a call has taken of its limits, to be returned or corrected at its end. */
export type Entered = { readonly callId: string; readonly set: RateSet; readonly tokens: number }

export async function enter({ callId, set, tokens }: Entered, { state, owner }: Desk): Promise<Entrance> {
  const amounts = amountsOf(set, tokens)
  const admittance = await state.admit({ leaseId: callId, owner, rates: amounts, slots: set.slots })
  const headroom = headroomOf(set, admittance.rates)
  return { headroom, refusal: admittance.isAdmitted ? undefined : refusalOf(set, admittance, tokens) }
}

/** `usedTokens` undefined: nothing was sent, and nothing is charged. */
export async function leave(
  { callId, set, tokens }: Entered,
  usedTokens: number | undefined,
  { state }: Desk,
): Promise<void> {
  const refunds: RateAmount[] = set.tokens.map((rate) => ({ ...rate, amount: tokens - (usedTokens ?? 0) }))
  if (usedTokens === undefined) refunds.push(...set.requests.map((rate) => ({ ...rate, amount: 1 })))
  const due = refunds.filter(({ amount }) => amount !== 0)
  // Both are told at once: over Redis that is one command.
  await Promise.all([
    set.slots.length > 0 ? state.release(callId) : undefined,
    due.length > 0 ? state.refund(due) : undefined,
  ])
}

function rateOf(key: string, of: string, perMinute: number | undefined): readonly NamedRate[] {
  return perMinute === undefined ? [] : [{ key, of, perMinute, burst: perMinute }]
}

function amountsOf({ requests, tokens }: RateSet, wanted: number): readonly RateAmount[] {
  return [
    ...requests.map((rate) => ({ ...rate, amount: 1 })),
    ...tokens.map((rate) => ({ ...rate, amount: wanted })),
  ]
}

function headroomOf({ requests, tokens }: RateSet, readings: readonly RateReading[]): RateHeadroom {
  return {
    requests: tightest(requests, readings.slice(0, requests.length)),
    tokens: tightest(tokens, readings.slice(requests.length)),
  }
}

function tightest(rates: readonly Rate[], readings: readonly RateReading[]): Headroom | undefined {
  let found: Headroom | undefined
  for (const [at, { remaining, resetMs }] of readings.entries()) {
    if (found !== undefined && found.remaining <= remaining) continue
    found = { limit: rates[at]?.burst ?? 0, remaining, resetMs }
  }
  return found
}

/** The limit with the longest wait is reported. */
function refusalOf(set: RateSet, { rates, slots }: Admittance, tokens: number): Failure {
  const full = set.slots.find((_, at) => slots[at]?.isFull)
  const waits = [...set.requests, ...set.tokens].map((rate, at) => ({
    rate,
    waitMs: rates[at]?.retryAfterMs ?? 0,
    isTokens: at >= set.requests.length,
  }))
  const longest = waits.toSorted((one, other) => other.waitMs - one.waitMs)[0]
  if (longest === undefined || longest.waitMs === 0) {
    const limit = `concurrency/${safe(full?.of ?? '')}`
    const message = `Too many calls at once for ${full?.of}: limit ${full?.limit}. Try again when one has ended.`
    const headers = { 'x-pandotate-limit': limit }
    return new Failure('limit_reached', message, { headers, retryAfterMs: slotWaitMs })
  }
  return longest.isTokens ? tokensRefused(longest, tokens) : requestsRefused(longest)
}

const slotWaitMs = 1000

type Wait = { readonly rate: NamedRate; readonly waitMs: number }

function requestsRefused({ rate, waitMs }: Wait): Failure {
  const message = `Rate limit reached for ${rate.of} on requests per min (RPM): Limit ${rate.burst}. ${again(waitMs)}`
  const headers = { 'x-pandotate-limit': `rpm/${safe(rate.of)}` }
  return new Failure('limit_reached', message, { headers, retryAfterMs: waitMs, shown: { type: 'requests' } })
}

function tokensRefused({ rate, waitMs }: Wait, wanted: number): Failure {
  const headers = { 'x-pandotate-limit': `tpm/${safe(rate.of)}` }
  const shown = { type: 'tokens' }
  const on = `for ${rate.of} on tokens per min (TPM): Limit ${rate.burst}, Requested ${wanted}`
  if (waitMs === Number.POSITIVE_INFINITY) {
    return new Failure('limit_reached', `Request too large ${on}. Ask for less, or lower max_tokens.`, {
      headers: { ...headers, 'x-should-retry': 'false' },
      shown,
    })
  }
  return new Failure('limit_reached', `Rate limit reached ${on}. ${again(waitMs)}`, {
    headers,
    retryAfterMs: waitMs,
    shown,
  })
}

function again(waitMs: number): string {
  return `Please try again in ${waitMs < 1000 ? `${Math.ceil(waitMs)}ms` : `${Math.ceil(waitMs / 100) / 10}s`}.`
}
