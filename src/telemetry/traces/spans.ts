import type { AttemptRecord, CallRecord } from '../../core/model/record/record.ts'
import { type CallTrace, type ConventionName, spanIdOf } from '../../core/model/trace.ts'
import {
  type AttemptOf,
  type AttributeValue,
  attemptAttributes,
  callAttributes,
  errorOf,
  type Kept,
  modelOf,
  operationOf,
  type SpanAttribute,
  type TracedCall,
} from './span-names.ts'

/** A span as it is exported. */
export type CallSpan = {
  readonly name: string
  readonly kind: 'server' | 'client'
  readonly traceId: string
  readonly spanId: string
  /** Undefined: it is the root of its trace. */
  readonly parentSpanId: string | undefined
  /** The parent is a span of another process. */
  readonly hasRemoteParent: boolean
  readonly flags: number
  readonly state: string | undefined
  readonly startEpochMs: number
  readonly durationMs: number
  readonly isError: boolean
  readonly attributes: Readonly<Record<string, AttributeValue>>
}

/** Why the spans of a call are exported; undefined: they are not. */
export function whyKept(record: CallRecord, trace: CallTrace): Kept | undefined {
  if (trace.keeps === 'this') return 'sampled'
  if (trace.keeps === 'none') return undefined
  if (isFailed(record)) return 'failed'
  if (record.attempts.length > record.parts) return 'failed_over'
  return record.slow ? 'slow' : undefined
}

/** Makes the spans of calls: one for the call, and one per attempt. */
export function createSpanMaker(conventions: ConventionName, scheme: 'http' | 'https') {
  const ofCall = readerOf(callAttributes, conventions)
  const ofAttempt = readerOf(attemptAttributes, conventions)
  return (record: CallRecord, trace: CallTrace, kept: Kept): readonly CallSpan[] => {
    const { traceId, flags, state } = trace
    const spanId = spanIdOf(trace)
    const common = { traceId, flags, state }
    const own: CallSpan = {
      ...common,
      name: `POST ${trace.route}`,
      kind: 'server',
      spanId,
      parentSpanId: trace.parentSpanId,
      hasRemoteParent: trace.parentSpanId !== undefined,
      startEpochMs: record.startedEpochMs,
      durationMs: record.totalMs,
      isError: isFailed(record),
      attributes: ofCall({ call: record, scheme, kept }),
    }
    const attempts = record.attempts.flatMap((attempt, at): CallSpan[] => {
      // The gateway itself answered: no upstream attempt was made.
      if (attempt.provider === undefined) return []
      return [
        {
          ...common,
          name: nameOf(record, attempt),
          kind: 'client',
          spanId: spanIdOf(trace, at),
          parentSpanId: spanId,
          hasRemoteParent: false,
          startEpochMs: record.startedEpochMs + attempt.startMs,
          durationMs: attempt.totalMs,
          isError: errorOf(attempt) !== undefined,
          attributes: ofAttempt({ call: record, attempt, at }),
        },
      ]
    })
    return [own, ...attempts]
  }
}

/**
 * A failure of the gateway or an upstream. A caller's mistake does not count, because callers could make any number.
 */
function isFailed({ failure }: CallRecord): boolean {
  return failure !== undefined && failure.status >= 500
}

function nameOf(call: CallRecord, attempt: AttemptRecord): string {
  const model = modelOf(attempt)
  return model === undefined ? operationOf(call) : `${operationOf(call)} ${model}`
}

type Attributes = Record<string, AttributeValue>

function readerOf<Row extends TracedCall | AttemptOf>(
  table: readonly SpanAttribute<Row>[],
  conventions: ConventionName,
): (row: Row) => Attributes {
  const named = table.flatMap(({ names, of }) => {
    const name = names[conventions]
    return name === undefined ? [] : [{ name, of }]
  })
  return (row) => {
    const read: Attributes = {}
    for (const { name, of } of named) {
      const value = of(row)
      if (value !== undefined) read[name] = value
    }
    return read
  }
}
