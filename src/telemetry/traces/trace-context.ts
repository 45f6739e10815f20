import {
  type CallTrace,
  type SamplerName,
  sampledFlag,
  type TraceHeaders,
  type TraceStart,
} from '../../core/model/trace.ts'

export type TraceContextParts = {
  readonly sampler: SamplerName
  /** The ratio of traces that are sampled. */
  readonly ratio: number
  readonly isPropagated: boolean
  /** This many random bytes, as hexadecimal digits. */
  readonly randomHex: (bytes: number) => string
}

/** Continues the caller's trace or begins one, and decides whether the call's spans are sampled. */
export function createTraceStart({ sampler, ratio, isPropagated, randomHex }: TraceContextParts): TraceStart {
  const isByParent = sampler.startsWith('parentbased_')
  const isRootKept = rootSampler(sampler, ratio)
  return (headers, route) => {
    const parent = parentOf(headers['traceparent'])
    const random = randomHex(parent === undefined ? 22 : 6)
    const traceId = parent?.traceId ?? random.slice(12)
    const isKept = isByParent && parent !== undefined ? parent.isSampled : isRootKept(traceId)
    return {
      traceId,
      parentSpanId: parent?.spanId,
      spanPrefix: random.slice(0, 12),
      keeps: isKept ? 'this' : sampler === 'always_off' ? 'none' : 'odd',
      flags: parent?.flags ?? 0,
      state: parent && stateOf(headers['tracestate']),
      route,
      isPropagated,
    }
  }
}

function rootSampler(sampler: SamplerName, ratio: number): (traceId: string) => boolean {
  if (sampler.endsWith('always_on')) return () => true
  if (sampler.endsWith('always_off') || ratio <= 0) return () => false
  if (ratio >= 1) return () => true
  const bound = Math.round(ratio * 2 ** randomBits)
  // The end of a trace id is random: all processes that compare it decide alike.
  return (traceId) => Number.parseInt(traceId.slice(-randomBits / 4), 16) < bound
}

/** As many digits as a number represents exactly. */
const randomBits = 52

type Parent = {
  readonly traceId: string
  readonly spanId: string
  readonly isSampled: boolean
  /** Except for that one. */
  readonly flags: CallTrace['flags']
}

/** W3C Trace Context 3.2; a repeated header is joined by commas, and invalid. */
function parentOf(header: TraceHeaders[string]): Parent | undefined {
  if (typeof header !== 'string') return undefined
  const [, version, traceId = '', spanId = '', written = '', rest] = traceparent.exec(header) ?? []
  if (version === undefined || version === 'ff' || (version === '00' && rest !== undefined)) return undefined
  if (isZero.test(traceId) || isZero.test(spanId)) return undefined
  const flags = Number.parseInt(written, 16)
  return { traceId, spanId, isSampled: (flags & sampledFlag) !== 0, flags: flags & randomFlag }
}

const traceparent = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/

const isZero = /^0+$/

/** Trace Context level 2: the trace id is random. Other bits are reserved, and not passed on. */
const randomFlag = 2

function stateOf(header: TraceHeaders[string]): string | undefined {
  const text = Array.isArray(header) ? header.join(',') : header
  return text !== undefined && isState.test(text) ? text : undefined
}

/** Printable, and within the length that all participants must forward. */
const isState = /^[ -~]{1,512}$/
