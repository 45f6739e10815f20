/** The trace context of one call, as defined by W3C Trace Context. */
export type CallTrace = {
  readonly traceId: string
  /** The caller's span; undefined: the trace begins here. */
  readonly parentSpanId: string | undefined
  /** The common prefix of the ids of the call's spans. */
  readonly spanPrefix: string
  /**
   * Whether the spans are exported: always (`this`), only if the call fails, fails over or is slow (`odd`), or never.
   */
  readonly keeps: 'this' | 'odd' | 'none'
  /** The caller's other flags, which are forwarded. */
  readonly flags: number
  /** The caller's `tracestate`, forwarded unchanged. */
  readonly state: string | undefined
  /** The path of the call, one of those that are served. */
  readonly route: string
  /** Whether it is forwarded to upstreams. */
  readonly isPropagated: boolean
}

/** Makes the trace context of a call from its request headers. */
export type TraceStart = (headers: TraceHeaders, route: string) => CallTrace

export type TraceHeaders = Readonly<Record<string, string | string[] | undefined>>

/** The flag bit for traces whose spans are exported. */
export const sampledFlag = 1

/** The id of the call's own span, or of an attempt's by its index in the record. */
export function spanIdOf({ spanPrefix }: CallTrace, attempt = -1): string {
  return spanPrefix + (0x10000 + ((attempt + 1) & 0xffff)).toString(16).slice(1)
}

/** The headers of one attempt's requests, as alternating names and values; undefined: none are sent. */
export function traceHeaders(
  trace: CallTrace,
  attempt: number,
  isOdd: boolean,
): readonly string[] | undefined {
  if (!trace.isPropagated) return undefined
  const isSampled = trace.keeps === 'this' || (trace.keeps === 'odd' && isOdd)
  const flags = isSampled ? trace.flags | sampledFlag : trace.flags
  const parent = `00-${trace.traceId}-${spanIdOf(trace, attempt)}-${(0x100 + flags).toString(16).slice(1)}`
  return trace.state === undefined
    ? ['traceparent', parent]
    : ['traceparent', parent, 'tracestate', trace.state]
}

/** OpenTelemetry's standard samplers. */
export const samplerNames = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const

export type SamplerName = (typeof samplerNames)[number]

/** Versions of OpenTelemetry's attribute names for generative AI: the one that most backends know, and the latest. */
export const conventionNames = ['v1.36', 'latest'] as const

export type ConventionName = (typeof conventionNames)[number]
