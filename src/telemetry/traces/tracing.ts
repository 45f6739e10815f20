import { randomFillSync } from 'node:crypto'
import type { Logger } from 'pino'
import type { Clock, Sink } from '../../core/model/ports.ts'
import type { ConventionName, SamplerName, TraceStart } from '../../core/model/trace.ts'
import type { LossReason, SpanSenderParts } from './span-exporter.ts'
import { createSpanMaker, whyKept } from './spans.ts'
import { createTraceStart } from './trace-context.ts'

/** Traces of calls: where each begins, and a sink that makes its spans once it is over. */
export interface Tracing extends Sink {
  readonly start: TraceStart
  counts(): TraceCounts
  /** Sends the queued spans. Never rejects, and does not wait long for a collector. */
  close(): Promise<void>
}

/** Spans since the start. */
export type TraceCounts = {
  readonly exported: number
  readonly lost: Readonly<Partial<Record<LossReason, number>>>
}

export type TracingSettings = Pick<
  SpanSenderParts,
  'endpoint' | 'headers' | 'timeoutMs' | 'compression' | 'batch'
> & {
  readonly serviceName?: string
  readonly resource: Readonly<Record<string, string>>
  readonly sampler: SamplerName
  readonly ratio: number
  readonly propagate: boolean
  readonly conventions: ConventionName
  /** The scheme that the gateway itself is called by. */
  readonly scheme: 'http' | 'https'
}

export type TracingParts = { readonly log: Logger; readonly clock: Clock; readonly version: string }

/** Loads OpenTelemetry's packages, which take 20 MB on disk and 60 ms: only if tracing is on. */
export async function createTracing(settings: TracingSettings, parts: TracingParts): Promise<Tracing> {
  const { createSpanSender } = await import('./span-exporter.ts')
  const { resource, serviceName, scheme, conventions, sampler, ratio, propagate } = settings
  const losses = createLosses(parts)
  let exported = 0
  const sender = createSpanSender({
    ...settings,
    resource: {
      'service.name': 'pandotate-gateway',
      'service.version': parts.version,
      'service.instance.id': crypto.randomUUID(),
      ...resource,
      ...(serviceName === undefined ? {} : { 'service.name': serviceName }),
    },
    version: parts.version,
    noteSent(spans) {
      exported += spans
    },
    noteLost: losses.note,
  })
  const spansOf = createSpanMaker(conventions, scheme)
  return {
    start: createTraceStart({ sampler, ratio, isPropagated: propagate, randomHex: createRandomHex() }),
    write(record) {
      const { trace } = record
      if (trace === undefined) return
      const kept = whyKept(record, trace)
      if (kept !== undefined) for (const span of spansOf(record, trace, kept)) sender.send(span)
    },
    counts: () => ({ exported, lost: losses.counts }),
    close: sender.close,
  }
}

/** Counts lost spans, and logs them at most once a minute. */
function createLosses({ log, clock }: TracingParts) {
  const counts: Partial<Record<LossReason, number>> = {}
  let warnedAt = Number.NEGATIVE_INFINITY
  return {
    counts,
    note(spans: number, why: LossReason, error?: Error): void {
      counts[why] = (counts[why] ?? 0) + spans
      if (clock.now() - warnedAt < betweenWarningsMs) return
      warnedAt = clock.now()
      // A collector's message may repeat what it was sent: only its status or an error code is logged.
      const code = error !== undefined && 'code' in error ? error.code : undefined
      const detail = typeof code === 'number' || typeof code === 'string' ? { code } : {}
      log.warn({ why, ...detail, lost: counts }, 'spans were lost: traces are incomplete')
    },
  }
}

const betweenWarningsMs = 60_000

/** Random bytes are drawn for many ids at once, because a draw is the slowest part of making an id. */
function createRandomHex(): (bytes: number) => string {
  const buffer = Buffer.alloc(4096)
  let at = buffer.length
  return (bytes) => {
    if (at + bytes > buffer.length) {
      randomFillSync(buffer)
      at = 0
    }
    at += bytes
    return buffer.toString('hex', at - bytes, at)
  }
}
