import { isObject } from '../../json/json.ts'
import { amountsFor, isUpperBound } from '../../price.ts'
import type { LineWriter } from '../line-writer.ts'
import type { Baseline, CallRecord, ExpectedCost, LeftOut } from '../record.ts'
import { attemptFields, isKnown } from './attempt-fields.ts'
import { failureFields } from './failure-fields.ts'
import {
  amount,
  amounts,
  clipped,
  duration,
  type Field,
  flag,
  type Label,
  list,
  mark,
  names,
  nullText,
  number,
  object,
  text,
} from './field.ts'

const baselineFields = {
  deployment: text('The deployment', (baseline: Baseline) => baseline.deployment),
  price: amounts('What it charges', ({ price }) => (isKnown(price) ? amountsFor(price) : undefined)),
  workedMs: number(
    'How long such an attempt takes there, if it charges for time',
    ({ workedMs }) => (workedMs === undefined ? undefined : Math.round(workedMs)),
    { unit: 'ms' },
  ),
} satisfies Readonly<Record<string, Field<Baseline, unknown>>>

const leftOutFields = {
  deployment: text('The deployment', (left: LeftOut) => left.deployment, { api: 'deployment' }),
  why: text('The filter that removed it, such as `context`, `tools` or `breaker`', ({ why }) => why, {
    api: 'why',
  }),
} satisfies Readonly<Record<string, Field<LeftOut, unknown>>>

const expectedFields = {
  deployment: text('The deployment', (one: ExpectedCost) => one.deployment, { api: 'deployment' }),
  nanoUsd: number('What the call was expected to cost there; absent: not known', ({ nanoUsd }) => nanoUsd, {
    unit: 'nano-USD',
    api: 'nano_usd',
  }),
} satisfies Readonly<Record<string, Field<ExpectedCost, unknown>>>

/**
 * Every member of a call's line, in its order: an allow-list of ids, choices, counts and durations, and no text of a
 * prompt or an answer. The log line, `GET /v1/generation`, the savings report, the metrics of calls and
 * docs/observability.md are made from it. Members that a record lacks are omitted from its line. The amounts suffice to recompute cost and saving from the
 * line.
 */
export const callFields = {
  requestId: text("The call's id, the answer's `x-request-id`", (call: CallRecord) => call.id, { api: 'id' }),
  dialect: text('The wire format of the caller', (call) => call.dialect, { api: 'dialect' }),
  principal: text("The short form of the caller's key", (call) => call.principal),
  key: text('The identity of the key, as budgets and reports name it', ({ tenant }) => tenant?.key),
  keyName: clipped('The name of the key', ({ tenant }) => tenant?.keyName),
  team: clipped("The key's team", ({ tenant }) => tenant?.team, { api: 'team' }),
  tags: names("The key's tags", ({ tenant }) => tenant?.tags, { api: 'tags' }),
  user: clipped("The caller's own user, as records keep it", (call) => call.user),
  traceId: text('The trace that it is part of, where calls are traced', ({ trace }) => trace?.traceId),
  model: clipped('The model that was requested', (call) => call.model, { api: 'model' }),
  kind: text('`chat`, `text`, `embeddings` or `rerank`', (call) => call.kind),
  stream: flag('A stream was requested', (call) => call.stream, { api: 'streamed' }),
  deployment: text('The deployment that answered', (call) => call.deployment, { api: 'deployment' }),
  upstreamModel: clipped(
    'The upstream’s name of the model, if the answer has another name',
    (call) => call.upstreamModel,
    { api: 'upstream_model' },
  ),
  provider: text('Its provider', (call) => call.provider, { api: 'provider_name' }),
  successor: text('The model that answered in place of the one asked for', (call) => call.successor, {
    api: 'successor',
  }),
  status: number('The HTTP status of the answer', (call) => call.status, { api: 'status' }),
  outcome: text('`ok`, `failed`, or `left`: the caller went away', (call) => call.outcome, {
    api: 'outcome',
  }),
  failure: object('Why the call failed', failureFields, (call) => call.failure),
  limit: text('The budget or limit that refused it, or the bound it was sent with', (call) => call.limit, {
    api: 'limit',
  }),
  strategy: text('How its deployments were ordered', ({ plan }) => plan?.strategy, { api: 'strategy' }),
  route: text('The route that matched it: a name or a pattern', ({ plan }) => plan?.route, { api: 'route' }),
  plan: names('The deployments to try, in order, each once', ({ plan }) => plan?.order, { api: 'plan' }),
  leftOut: list('Deployments that were left out, at most 20', leftOutFields, leftOutOf, { api: 'left_out' }),
  expected: list(
    'The expected cost of the first three',
    expectedFields,
    ({ plan }) => plan?.expected ?? none,
    { api: 'expected_cost' },
  ),
  parts: number('How many upstream calls it was split into; absent: one', partsOf, {
    api: 'parts',
    otherwise: 1,
  }),
  attempts: list('Every attempt at an upstream, in order', attemptFields, (call) => call.attempts, {
    isAlways: true,
  }),
  parseMs: duration('Reading and checking the body', (call) => call.parseMs, { api: 'parse_ms' }),
  firstTokenMs: duration(
    "From the first attempt's start to the first visible token, or to the whole of a JSON answer",
    (call) => call.firstTokenMs,
    { api: 'latency' },
  ),
  backoffMs: duration('Waiting between attempts', ({ backoffMs }) => backoffMs || undefined, {
    api: 'backoff_ms',
    otherwise: 0,
  }),
  totalMs: duration(
    'The whole call, from its headers to the last byte of the answer',
    (call) => call.totalMs,
    {
      api: 'total_ms',
    },
  ),
  overheadMs: duration("The gateway's own share of the time to the first byte", (call) => call.overheadMs, {
    api: 'overhead_ms',
  }),
  promptTokens: number('Tokens of the prompt', ({ usage }) => usage?.prompt_tokens, {
    unit: 'tokens',
    api: 'tokens_prompt',
  }),
  completionTokens: number('Tokens of the answer', ({ usage }) => usage?.completion_tokens, {
    unit: 'tokens',
    api: 'tokens_completion',
  }),
  cachedTokens: number(
    'Tokens of the prompt in the upstream’s cache',
    ({ usage }) => usage && countIn(usage['prompt_tokens_details'], 'cached_tokens'),
    { unit: 'tokens', api: 'native_tokens_cached' },
  ),
  reasoningTokens: number(
    'Tokens of the answer’s reasoning',
    ({ usage }) => usage && countIn(usage['completion_tokens_details'], 'reasoning_tokens'),
    { unit: 'tokens', api: 'native_tokens_reasoning' },
  ),
  usageEstimated: flag(
    'The tokens were counted here, because the upstream did not report them',
    ({ usage, usageEstimated }) => usage && usageEstimated,
    { api: 'tokens_estimated', otherwise: false },
  ),
  cache: text('`hit`, `coalesced` or `replay`: it had no upstream call of its own', (call) => call.cache, {
    api: 'cache',
  }),
  costNanoUsd: {
    ...amount('What all attempts cost; null: a price is not known', costOf, { api: 'cost_nano_usd' }),
    write(call: CallRecord, label: Label, line: LineWriter) {
      if (!isPlanned(call)) return
      line.put(label)
      if (call.costNanoUsd === undefined) line.put(nullText)
      else line.number(call.costNanoUsd)
    },
  },
  costEstimated: flag(
    'Some of the cost comes from tokens that were counted here, or from a price that is not confirmed',
    (call) => (isPlanned(call) ? call.costEstimated : undefined),
    { api: 'cost_estimated', otherwise: false },
  ),
  costUpperBound: mark(
    'The cost may be lower: what cached tokens cost is not known',
    ({ attempts }) => attempts.some(({ price, used, priceOrigin }) => isUpperBound(price, used, priceOrigin)),
    { api: 'cost_upper_bound' },
  ),
  uncertainNanoUsd: amount(
    'What upstreams may have charged in addition to the cost, at most',
    ({ uncertainNanoUsd }) => uncertainNanoUsd || undefined,
    { api: 'uncertain_nano_usd', otherwise: 0 },
  ),
  overrunNanoUsd: amount(
    'What was charged beyond what was held on budgets',
    ({ overrunNanoUsd }) => overrunNanoUsd || undefined,
    { api: 'overrun_nano_usd', otherwise: 0 },
  ),
  baseline: object('What savings are measured against', baselineFields, (call) => call.baseline),
  baselineNanoUsd: amount('What the work would have cost at the baseline', (call) => call.baselineNanoUsd, {
    api: 'baseline_nano_usd',
  }),
  savedNanoUsd: amount(
    "The baseline's cost minus the call’s; negative: more was spent",
    (call) => call.savedNanoUsd,
    {
      api: 'saved_nano_usd',
    },
  ),
  slow: flag('It took longer than `slowThresholdMs`', (call) => call.slow, { api: 'slow' }),
  requestBytes: number("The caller's body, decompressed", (call) => call.requestBytes, { unit: 'bytes' }),
  responseBytes: number('What was written back', (call) => call.responseBytes, { unit: 'bytes' }),
  dropped: names('Parameters that were not passed on', (call) => call.dropped, { api: 'dropped' }),
  converted: names('Parameters that were emulated here', (call) => call.converted, { api: 'converted' }),
  flags: names("Oddities of the upstream's answer that were repaired", (call) => call.flags, {
    api: 'flags',
  }),
} satisfies Readonly<Record<string, Field<CallRecord, unknown>>>

const none: readonly never[] = []

/** First those that the plan left out, then those whose breakers opened afterwards. */
function leftOutOf({ plan, passedOver = [] }: CallRecord): readonly LeftOut[] {
  const planned = plan?.leftOut ?? none
  if (passedOver.length === 0) return planned.length > mostLeftOut ? planned.slice(0, mostLeftOut) : planned
  return [...planned, ...passedOver].slice(0, mostLeftOut)
}

const mostLeftOut = 20

function partsOf({ parts }: CallRecord): number | undefined {
  return parts > 1 ? parts : undefined
}

function costOf({ costNanoUsd }: CallRecord): number | undefined {
  return costNanoUsd
}

/** A planned call reports its cost, null if it is unknown. */
function isPlanned({ costNanoUsd, baseline }: CallRecord): boolean {
  return costNanoUsd !== undefined || baseline !== undefined
}

function countIn(details: unknown, name: string): number | undefined {
  const count = isObject(details) ? details[name] : undefined
  return typeof count === 'number' ? count : undefined
}
