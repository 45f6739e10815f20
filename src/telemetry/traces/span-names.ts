import type { AttemptRecord, CallRecord } from '../../core/model/record/record.ts'
import type { ConventionName } from '../../core/model/trace.ts'

export type AttributeValue = string | number | boolean

/** A call whose spans are exported, the reason, and the scheme that the gateway is called by. */
export type TracedCall = { readonly call: CallRecord; readonly kept: Kept; readonly scheme: 'http' | 'https' }

export type Kept = 'sampled' | 'failed' | 'failed_over' | 'slow'

/** One attempt of a call, and its index in the record. */
export type AttemptOf = { readonly call: CallRecord; readonly attempt: AttemptRecord; readonly at: number }

/** An attribute: its name in each generation of the conventions, and its source. */
export type SpanAttribute<Row> = {
  readonly names: Readonly<Partial<Record<ConventionName, string>>>
  readonly of: (row: Row) => AttributeValue | undefined
}

/** The operation in the standard's words, or in ours if it has none. */
export function operationOf({ kind }: CallRecord): string {
  return kind === 'text' ? 'text_completion' : (kind ?? 'chat')
}

/** The model of a deployment; undefined if it takes any model, so that no caller's text gets into span names. */
export function modelOf({ deployment }: Pick<AttemptRecord, 'deployment'>): string | undefined {
  const at = deployment.lastIndexOf('@')
  const model = deployment.slice(0, Math.max(at, 0))
  return model === '' || model.includes('*') ? undefined : model
}

/** Of the SERVER span: HTTP names are stable. Values come from closed lists, from the configuration, or are numbers. */
export const callAttributes: readonly SpanAttribute<TracedCall>[] = [
  ofRecord('http.request.method', () => 'POST'),
  ofRecord('http.route', ({ trace }) => trace?.route),
  ofRecord('url.path', ({ trace }) => trace?.route),
  ofRecord('http.response.status_code', ({ status }) => status),
  ofRecord('http.request.body.size', ({ requestBytes }) => requestBytes),
  ofRecord('http.response.body.size', ({ responseBytes }) => responseBytes),
  ofRecord('error.type', ({ failure }) => failure?.kind),
  ofRecord('pandotate.request_id', ({ id }) => id),
  ofRecord('pandotate.dialect', ({ dialect }) => dialect),
  ofRecord('pandotate.outcome', ({ outcome }) => outcome),
  ofRecord('pandotate.model', ({ model }) => clipped(model)),
  ofRecord('pandotate.stream', ({ stream }) => stream),
  ofRecord('pandotate.key', ({ tenant }) => tenant?.keyName),
  ofRecord('pandotate.team', ({ tenant }) => tenant?.team),
  ofRecord('pandotate.route', ({ plan }) => plan?.route),
  ofRecord('pandotate.strategy', ({ plan }) => plan?.strategy),
  ofRecord('pandotate.deployment', ({ deployment }) => deployment),
  ofRecord('pandotate.provider', ({ provider }) => provider),
  ofRecord('pandotate.attempts', ({ attempts }) => attempts.length),
  ofRecord('pandotate.parts', ({ parts }) => (parts > 1 ? parts : undefined)),
  ofRecord('pandotate.cache', ({ cache }) => cache),
  ofRecord('pandotate.limit', ({ limit }) => clipped(limit)),
  ofRecord('pandotate.slow', ({ slow }) => slow || undefined),
  ofRecord('pandotate.overhead_ms', ({ overheadMs }) => overheadMs),
  ofRecord('pandotate.time_to_first_token_ms', ({ firstTokenMs }) => firstTokenMs),
  ofRecord('pandotate.cost_usd', ({ costNanoUsd }) => usdOf(costNanoUsd)),
  ofRecord('pandotate.cost_estimated', ({ costEstimated }) => costEstimated || undefined),
  ofRecord('pandotate.saved_usd', ({ savedNanoUsd }) => usdOf(savedNanoUsd)),
  always('pandotate.kept', ({ kept }) => kept),
  always('url.scheme', ({ scheme }) => scheme),
]

/** Of the CLIENT span of one attempt. */
export const attemptAttributes: readonly SpanAttribute<AttemptOf>[] = [
  always('gen_ai.operation.name', ({ call }) => operationOf(call)),
  {
    names: { 'v1.36': 'gen_ai.system', latest: 'gen_ai.provider.name' },
    of: ({ attempt }) => attempt.provider,
  },
  always('gen_ai.request.model', ({ call, attempt }) => modelOf(attempt) ?? clipped(call.model)),
  { names: { latest: 'gen_ai.request.stream' }, of: ({ call }) => call.stream || undefined },
  always('gen_ai.response.model', ({ call, attempt }) =>
    attempt.deployment === call.deployment ? clipped(call.upstreamModel) : undefined,
  ),
  {
    names: { latest: 'gen_ai.response.time_to_first_chunk' },
    of: ({ call, attempt: { firstTokenMs } }) =>
      call.stream && firstTokenMs !== undefined ? firstTokenMs / 1000 : undefined,
  },
  always('gen_ai.usage.input_tokens', ({ attempt }) => attempt.used?.promptTokens),
  always('gen_ai.usage.output_tokens', ({ attempt }) => attempt.used?.completionTokens),
  {
    names: { latest: 'gen_ai.usage.cache_read.input_tokens' },
    of: ({ attempt }) => attempt.used?.cachedTokens || undefined,
  },
  always('http.response.status_code', ({ attempt }) => attempt.upstreamStatus),
  always('error.type', ({ attempt }) => errorOf(attempt)),
  always('pandotate.attempt', ({ at }) => at),
  always('pandotate.part', ({ attempt }) => attempt.part || undefined),
  always('pandotate.deployment', ({ attempt }) => attempt.deployment),
  always('pandotate.outcome', ({ attempt }) => attempt.outcome),
  always('pandotate.delivered', ({ attempt }) => attempt.isDelivered || undefined),
  always('pandotate.resumed', ({ attempt }) => attempt.isResumed || undefined),
  always('pandotate.queued_ms', ({ attempt }) => attempt.queuedMs),
  always('pandotate.headers_ms', ({ attempt }) => attempt.headersMs),
  always('pandotate.first_token_ms', ({ attempt }) => attempt.firstTokenMs),
  always('pandotate.upstream_request_id', ({ attempt }) => clipped(attempt.upstreamRequestId)),
  always('pandotate.cost_usd', ({ attempt }) => usdOf(attempt.costNanoUsd)),
  always('pandotate.cost_estimated', ({ attempt }) => attempt.isEstimated || undefined),
  always('pandotate.cost_uncertain', ({ attempt }) => attempt.isUncertain || undefined),
]

/** The error of an attempt; undefined if there was none, or no one was at fault. */
export function errorOf({ outcome }: AttemptRecord): string | undefined {
  return outcome === 'ok' || outcome === 'superseded' || outcome === 'caller_left' ? undefined : outcome
}

function always<Row>(name: string, of: SpanAttribute<Row>['of']): SpanAttribute<Row> {
  return { names: { 'v1.36': name, latest: name }, of }
}

function ofRecord(name: string, of: SpanAttribute<CallRecord>['of']): SpanAttribute<TracedCall> {
  return always(name, ({ call }) => of(call))
}

function usdOf(nanoUsd: number | undefined): number | undefined {
  return nanoUsd === undefined ? undefined : nanoUsd / 1e9
}

/** A text that a caller or an upstream chose. */
function clipped(text: string | undefined): string | undefined {
  return text !== undefined && text.length > longest ? `${text.slice(0, longest)}…` : text
}

const longest = 200
