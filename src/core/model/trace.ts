/** The place of one call in a trace, as W3C Trace Context has it. */
export type CallTrace = {
  readonly traceId: string
  /** The caller's span; undefined: the trace begins here. */
  readonly parentSpanId: string | undefined
  /** What the ids of all spans of the call begin with. */
  readonly spanPrefix: string
  /** Which calls have their spans exported: this one in any case, only if it turns out to be odd, or none. */
  readonly keeps: 'this' | 'odd' | 'none'
  /** The caller's other flags, which are passed on. */
  readonly flags: number
  /** The caller's `tracestate`, passed on as it came. */
  readonly state: string | undefined
  /** The path of the call, of those that are served. */
  readonly route: string
  /** Whether upstreams get it. */
  readonly isPropagated: boolean
}

/** Gives a call its place in a trace, from the headers of its request. */
export type TraceStart = (headers: TraceHeaders, route: string) => CallTrace

export type TraceHeaders = Readonly<Record<string, string | string[] | undefined>>

/** The bit of the flags that says that spans are exported. */
export const sampledFlag = 1

/** The id of the call's own span; that of an attempt, by its place in the record. */
export function spanIdOf({ spanPrefix }: CallTrace, attempt = -1): string {
  return spanPrefix + (0x10000 + ((attempt + 1) & 0xffff)).toString(16).slice(1)
}

/** The headers of one attempt's requests, name and value in turn; undefined: there are none. */
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

/** The samplers that the standard names. */
export const samplerNames = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const

export type SamplerName = (typeof samplerNames)[number]

/**
 * The generations of OpenTelemetry's names for generative AI: those that backends have known for long, and the latest.
 */
export const conventionNames = ['v1.36', 'latest'] as const

export type ConventionName = (typeof conventionNames)[number]
