import { createTraceState, type HrTime, SpanKind, SpanStatusCode, TraceFlags } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import { defaultResource, type Resource, resourceFromAttributes } from '@opentelemetry/resources'
import { BatchSpanProcessor, type ReadableSpan, type SpanExporter } from '@opentelemetry/sdk-trace'
import type { CallSpan } from './spans.ts'

/** Sends spans to a collector, in batches. */
export interface SpanSender {
  send(span: CallSpan): void
  /** Sends the queued spans, and ends. Never rejects. */
  close(): Promise<void>
}

export type SpanSenderParts = {
  readonly endpoint: string
  readonly headers: Readonly<Record<string, string>>
  readonly timeoutMs: number
  readonly compression: 'none' | 'gzip'
  readonly batch: {
    readonly spans: number
    readonly queueSpans: number
    readonly delayMs: number
    readonly timeoutMs: number
  }
  /** Of the process, including `service.name`. */
  readonly resource: Readonly<Record<string, string>>
  readonly version: string
  readonly noteSent: (spans: number) => void
  readonly noteLost: (spans: number, why: LossReason, error?: Error) => void
}

export type LossReason = (typeof lossReasons)[number]

export const lossReasons = ['queue_full', 'export_failed', 'stopped'] as const

/** OpenTelemetry's own queue and exporter. This module's imports are loaded with it. */
export function createSpanSender(parts: SpanSenderParts): SpanSender {
  const { batch, noteLost, noteSent } = parts
  const resource = defaultResource().merge(resourceFromAttributes(parts.resource))
  const scope = { name: 'pandotate-gateway', version: parts.version }
  const exporter = exporterOf(parts)
  /** Queued or being sent. The queue itself drops silently. */
  let queued = 0
  let underWay = 0
  const counting: SpanExporter = {
    export(spans, done) {
      queued -= spans.length
      underWay += spans.length
      exporter.export(spans, (result) => {
        underWay -= spans.length
        if (result.code === 0) noteSent(spans.length)
        else noteLost(spans.length, 'export_failed', result.error)
        done(result)
      })
    },
    forceFlush: () => exporter.forceFlush(),
    shutdown: () => exporter.shutdown(),
  }
  const processor = new BatchSpanProcessor({
    exporter: counting,
    maxExportBatchSize: Math.min(batch.spans, batch.queueSpans),
    maxQueueSize: batch.queueSpans,
    scheduledDelayMillis: batch.delayMs,
    exportTimeoutMillis: batch.timeoutMs,
  })
  let isClosed = false
  return {
    send(span) {
      if (isClosed) return noteLost(1, 'stopped')
      if (queued >= batch.queueSpans) return noteLost(1, 'queue_full')
      queued++
      processor.onEnd(readable(span, resource, scope))
    },
    async close() {
      isClosed = true
      // Failures are counted where spans are exported.
      await inTime(processor.shutdown().catch(() => undefined))
      if (queued + underWay > 0) noteLost(queued + underWay, 'stopped')
    },
  }
}

type Config = NonNullable<ConstructorParameters<typeof OTLPTraceExporter>[0]>

function exporterOf({ endpoint, headers, timeoutMs, compression }: SpanSenderParts): OTLPTraceExporter {
  return new OTLPTraceExporter({
    url: endpoint,
    headers,
    timeoutMillis: timeoutMs,
    compression: compression as NonNullable<Config['compression']>,
  })
}

/** The exporter retries a missing collector: a process that stops does not wait for that. */
async function inTime(closing: Promise<void>): Promise<void> {
  const late = Promise.withResolvers<void>()
  const timer = setTimeout(late.resolve, longestCloseMs)
  await Promise.race([closing, late.promise])
  clearTimeout(timer)
}

const longestCloseMs = 5000

const kinds = { server: SpanKind.SERVER, client: SpanKind.CLIENT } as const

function readable(
  span: CallSpan,
  resource: Resource,
  scope: ReadableSpan['instrumentationScope'],
): ReadableSpan {
  const { traceId, spanId, parentSpanId, flags, state, startEpochMs, durationMs } = span
  const context = { traceId, traceFlags: flags | TraceFlags.SAMPLED, ...traceStateOf(state) }
  const own = { ...context, spanId }
  const parent =
    parentSpanId === undefined
      ? {}
      : { parentSpanContext: { ...context, spanId: parentSpanId, isRemote: span.hasRemoteParent } }
  return {
    name: span.name,
    kind: kinds[span.kind],
    spanContext: () => own,
    ...parent,
    startTime: hrTime(startEpochMs),
    endTime: hrTime(startEpochMs + durationMs),
    duration: hrTime(durationMs),
    status: { code: span.isError ? SpanStatusCode.ERROR : SpanStatusCode.UNSET },
    attributes: span.attributes,
    links: [],
    events: [],
    ended: true,
    resource,
    instrumentationScope: scope,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  }
}

function traceStateOf(state: string | undefined) {
  return state === undefined ? {} : { traceState: createTraceState(state) }
}

function hrTime(ms: number): HrTime {
  const seconds = Math.floor(ms / 1000)
  return [seconds, Math.round((ms - seconds * 1000) * 1e6)]
}
