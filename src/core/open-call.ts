import { type CallCost, openCallCost } from './account/call-cost.ts'
import type { Meter } from './account/meter.ts'
import type { OpenRecord } from './account/open-record.ts'
import type { CallContext } from './attempt/call-context.ts'
import type { AttemptParts } from './attempt/open-attempt.ts'
import { type Hedging, walk } from './attempt/walk.ts'
import { type Coverage, covered } from './cover.ts'
import type { GatewayParts } from './gateway-parts.ts'
import type { AnyCall } from './model/call.ts'
import type { CallSignal } from './model/call-signal.ts'
import type { Planned } from './plan/planner.ts'
import type { Plan } from './plan/router.ts'

/** A planned call, with the state that its parts share. */
export type OpenCall<SomeCall extends AnyCall> = {
  readonly parts: GatewayParts
  readonly call: SomeCall
  /** Aborts, with a Failure, when the caller leaves. */
  readonly signal: CallSignal
  readonly record: OpenRecord
  readonly context: CallContext
  readonly planned: Planned
  readonly account: CallCost
  /** How much of it is paid for; absent: it has no payer. */
  readonly coverage?: Coverage
}

/** Plans a call, and starts its account. Throws a Failure if no upstream can take it. */
export function openCall<SomeCall extends AnyCall>(
  parts: GatewayParts,
  call: SomeCall,
  signal: CallSignal,
  record: OpenRecord,
): OpenCall<SomeCall> {
  const { row, startedAt } = record
  record.requested(call)
  const planned = parts.planner.plan(call)
  record.planned(planned.note)
  const { clock, random, detokenizer, standings, retryBudget, limits } = parts
  const steps = parts.steps?.open(row.id)
  if (steps !== undefined) {
    steps.shape('request', call.body.value)
    steps.tell('plan', planned.note)
  }
  const deadlineAt = startedAt + Math.min(limits.deadlineMs, call.deadlineMs ?? limits.deadlineMs)
  return {
    parts,
    call,
    signal,
    record,
    context: {
      record,
      startedAt,
      deadlineAt,
      clock,
      random,
      detokenizer,
      standings,
      retryBudget,
      steps,
    },
    planned,
    account: openCallCost(planned.baseline, record),
  }
}

/** The result of an open call. Failures are explained by the planner, if it knows more. */
export function clarified<Used>(
  { planned: { clarify } }: OpenCall<AnyCall>,
  used: Promise<Used>,
): Promise<Used> {
  if (clarify === undefined) return used
  return used.catch((thrown: unknown) => Promise.reject(clarify(thrown)))
}

/** The deadline of a call, in epoch milliseconds. */
export function untilEpochMs({ context: { clock, deadlineAt } }: OpenCall<AnyCall>): number {
  return clock.epochMs() + deadlineAt - clock.now()
}

/** One part of a call, and its plan. */
export type PartOf<SomeCall extends AnyCall> = {
  readonly call: SomeCall
  /** From 0. */
  readonly part: number
  readonly plan: Plan
  readonly meter: Pick<Meter, 'note'>
}

/**
 * Attempts one part along its plan, each attempt paid for first if there is a payer. To be followed by the record's
 * `answeredBy`. Not async: on the hot path an async frame costs about 1 KB per call.
 */
export function tryPart<SomeCall extends AnyCall, Made>(
  { context, signal, coverage }: OpenCall<AnyCall>,
  { call, part, plan, meter }: PartOf<SomeCall>,
  make: (parts: AttemptParts<SomeCall>) => Promise<Made>,
  hedging?: Hedging<Made>,
): Promise<Made> {
  const makePaid =
    coverage === undefined ? make : (attempt: AttemptParts<SomeCall>) => covered(coverage, attempt, make)
  return walk({ context, call, part, plan, signal, meter }, makePaid, hedging)
}
