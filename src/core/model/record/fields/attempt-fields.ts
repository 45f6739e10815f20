import { amountsFor, type Consumption, isUpperBound, type Price, priceDay } from '../../price.ts'
import type { AttemptRecord } from '../record.ts'
import { causeCode, stackOf } from './failure-fields.ts'
import { amount, amounts, clipped, duration, type Field, mark, number, object, text } from './field.ts'

/** As it was charged: a price for time is for whole milliseconds. */
export const usedFields = {
  promptTokens: number('Tokens of the prompt', (used: Consumption) => used.promptTokens, { unit: 'tokens' }),
  cachedTokens: number('Of those, the ones in the upstream’s cache', (used) => used.cachedTokens, {
    unit: 'tokens',
  }),
  completionTokens: number('Tokens of the answer', (used) => used.completionTokens, { unit: 'tokens' }),
  workedMs: number(
    'How long the upstream worked, if it charges for time',
    ({ workedMs }) => (workedMs === undefined ? undefined : Math.round(workedMs)),
    { unit: 'ms' },
  ),
} satisfies Readonly<Record<string, Field<Consumption, unknown>>>

/** The members of each of a line's `attempts`. */
export const attemptFields = {
  deployment: text('The deployment: model and provider', (attempt: AttemptRecord) => attempt.deployment, {
    api: 'deployment',
  }),
  outcome: text('`ok`, or the kind of the failure', (attempt) => attempt.outcome, { api: 'outcome' }),
  code: text(
    'The code of the failure, as callers get it',
    ({ failure }) => failure?.code?.slice(0, 100) ?? undefined,
    {
      api: 'code',
    },
  ),
  operatorNote: text(
    'What an operator should check, such as the setting of a key that was refused',
    ({ failure }) => failure?.operatorNote,
    { api: 'operator_note' },
  ),
  upstreamSaid: text(
    'What the upstream said when it failed, at most 500 characters: redacted, and without the text of the request',
    ({ failure }) => failure?.upstreamSaid,
    { api: 'upstream_said' },
  ),
  causeCode: causeCode((attempt: AttemptRecord) => attempt.failure, { api: 'cause_code' }),
  stack: text(
    'The place of a bug in the gateway that an answer revealed, without a message',
    ({ failure }) => failure && stackOf(failure),
  ),
  unknownReason: clipped('An unknown finish reason of its answer', ({ unknownReason }) => unknownReason, {
    api: 'unknown_reason',
  }),
  part: number('Which part of a call that was split; absent: the first', ({ part }) => part || undefined, {
    api: 'part',
    otherwise: 0,
  }),
  startMs: duration('Its start, counted from the start of the call', (attempt) => attempt.startMs, {
    api: 'start_ms',
  }),
  queuedMs: duration("How long it waited in its upstream's queue", (attempt) => attempt.queuedMs, {
    api: 'queued_ms',
    otherwise: 0,
  }),
  headersMs: duration("Until the upstream's headers came", (attempt) => attempt.headersMs, {
    api: 'headers_ms',
  }),
  firstTokenMs: duration(
    'Until the first visible token, or the whole of a JSON answer',
    (attempt) => attempt.firstTokenMs,
    {
      api: 'first_token_ms',
    },
  ),
  totalMs: duration('Until its end', (attempt) => attempt.totalMs, { api: 'total_ms' }),
  upstreamStatus: number('The HTTP status that the upstream gave', (attempt) => attempt.upstreamStatus, {
    api: 'upstream_status',
  }),
  upstreamRequestId: clipped("The upstream's own id of the request", (attempt) => attempt.upstreamRequestId, {
    api: 'upstream_id',
  }),
  delivered: mark('Its answer went to the caller, whole or in part', (attempt) => attempt.isDelivered, {
    api: 'delivered',
  }),
  resumed: mark('It continued the answer of another attempt', (attempt) => attempt.isResumed, {
    api: 'resumed',
  }),
  uncertain: mark(
    'The upstream may have charged for it, but its usage is not known',
    (attempt) => attempt.isUncertain,
    { api: 'uncertain' },
  ),
  costNanoUsd: amount('What it cost; absent: its price is not known', (attempt) => attempt.costNanoUsd, {
    api: 'cost_nano_usd',
  }),
  heldNanoUsd: amount('What was held for it on budgets', (attempt) => attempt.heldNanoUsd, {
    api: 'held_nano_usd',
  }),
  price: amounts('What the deployment charged at that time; unknown amounts are absent', ({ price, used }) =>
    isKnown(price) ? amountsFor(price, used?.promptTokens) : undefined,
  ),
  priceSource: text(
    'Where that price comes from: `own` (gateway.yaml), `listed` (by the provider) or `shipped` (the catalogue)',
    ({ priceOrigin }) => priceOrigin?.source,
    { api: 'price_source' },
  ),
  priceSince: text(
    'The day from which it is valid; absent: it always was',
    ({ priceOrigin }) => priceDay(priceOrigin?.sinceEpochMs),
    { api: 'price_since' },
  ),
  priceAsOf: text(
    'The day on which it was last read there; absent: it is the operator\u2019s own',
    ({ priceOrigin }) => priceDay(priceOrigin?.asOfEpochMs),
    { api: 'price_as_of' },
  ),
  priceUnconfirmed: mark(
    'It is not confirmed, was read too long ago, or the provider no longer lists the model',
    ({ priceOrigin }) => priceOrigin?.isFirm === false,
    { api: 'price_unconfirmed' },
  ),
  upperBound: mark(
    'Its cost may be lower: what cached tokens cost is not known',
    ({ price, used, priceOrigin }) => isUpperBound(price, used, priceOrigin),
    { api: 'upper_bound' },
  ),
  used: object('The usage that its cost was computed from', usedFields, (attempt) => attempt.used),
  usageEstimated: mark(
    'Some of `used` was counted here, not by the upstream',
    (attempt) => attempt.isEstimated,
    {
      api: 'estimated',
    },
  ),
} satisfies Readonly<Record<string, Field<AttemptRecord, unknown>>>

/** Whether any amount is known. JSON omits undefined ones, and an empty object would say nothing. */
export function isKnown(price: Price): boolean {
  // Runs twice per line: `Object.values` would allocate a list each time.
  for (const name in price) if (price[name as keyof Price] !== undefined) return true
  return false
}
