import { boundNanoUsd } from './account/cost-bound.ts'
import { choicesWanted } from './adapt/adapt-call.ts'
import { isSinglePart, isSplitAt } from './join/fan-out.ts'
import type { AnyCall, Call } from './model/call.ts'
import { Failure } from './model/failure.ts'
import type { Payer } from './model/tenant.ts'
import { type Paid, type PayParts, pay } from './pay.ts'
import type { Explanation } from './plan/explain.ts'
import type { Plan } from './plan/router.ts'

/** What a call would hold, and on what terms it would run. */
export type HoldQuote = {
  /** Whether the whole fits, or the first slice, or what is left (which shortens the answer), or nothing. */
  readonly outcome: 'whole' | 'sliced' | 'clamped' | 'refused'
  /** The amount at the most expensive deployment; undefined if the call is refused. */
  readonly nanoUsd: number | undefined
  readonly promptTokens: number | undefined
  readonly outputTokens: number | undefined
  /** The error that the call is refused with. */
  readonly failure: Failure | undefined
}

/** How a call is paid for: its number of requests, and whether slice by slice. */
export function paying(call: AnyCall, plan: Plan): Pick<PayParts<AnyCall>, 'requests' | 'isDivisible'> {
  if (!isCompletion(call)) return { requests: 1, isDivisible: false }
  const isWhole = isSinglePart(call)
  const isSplit = !isWhole && plan.some(({ upstream }) => isSplitAt(call, upstream))
  return { requests: isSplit ? choicesWanted(call) : 1, isDivisible: isWhole }
}

/**
 * The hold of a call if it were made now, according to its payer; nothing is held. Undefined: no budget applies, or no
 * deployment takes the call.
 */
export async function quoteExplained(
  call: AnyCall,
  { places: [first, ...others] }: Pick<Explanation, 'places'>,
): Promise<HoldQuote | undefined> {
  const payer = call.tenant?.payer
  if (payer === undefined || first === undefined) return undefined
  return await quoteOf(call, [first, ...others], payer)
}

async function quoteOf(call: AnyCall, plan: Plan, payer: Payer): Promise<HoldQuote> {
  const record = { limitedBy: () => undefined }
  try {
    const parts = { payer, call, plan, record, ...paying(call, plan), untilEpochMs: 0 }
    const paid = await pay(parts)
    return { ...amountOf(paid), outcome: outcomeOf(paid), failure: undefined }
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown
    const unknown = { nanoUsd: undefined, promptTokens: undefined, outputTokens: undefined }
    return { ...unknown, outcome: 'refused', failure: thrown }
  }
}

function amountOf({ plan, use }: Paid<AnyCall>) {
  return { nanoUsd: Math.max(...plan.map((place) => boundNanoUsd(place, use))), ...use }
}

function outcomeOf({ isSliced, isClamped }: Paid<AnyCall>): HoldQuote['outcome'] {
  if (isSliced) return 'sliced'
  return isClamped ? 'clamped' : 'whole'
}

function isCompletion(call: AnyCall): call is Call {
  return call.kind === 'chat' || call.kind === 'text'
}
