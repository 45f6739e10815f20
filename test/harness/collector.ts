import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'
// The standard's own definitions of its messages, as its packages had them before they wrote them by hand.
import definitions from 'otlp-definitions/build/src/generated/root.js'

/** A span as a collector reads it. */
export type TakenSpan = {
  readonly name: string
  readonly kind: string
  readonly traceId: string
  readonly spanId: string
  /** Undefined: it is a root. */
  readonly parentSpanId: string | undefined
  readonly traceState: string | undefined
  readonly startEpochMs: number
  readonly durationMs: number
  readonly isError: boolean
  readonly attributes: Readonly<Record<string, unknown>>
  readonly resource: Readonly<Record<string, unknown>>
}

/** A collector of OTLP over HTTP, on a free port. */
export type Collector = AsyncDisposable & {
  /** Its base, as `OTEL_EXPORTER_OTLP_ENDPOINT` has it. */
  readonly url: string
  readonly spans: TakenSpan[]
  readonly requests: { readonly path: string; readonly headers: NodeJS.Dict<string | string[]> }[]
  /** The HTTP status that it answers. */
  status: number
  /** Answers nothing until `release`. */
  hold(): void
  release(): void
  /** So many spans, once they are there. */
  taken(count: number): Promise<readonly TakenSpan[]>
}

export async function startCollector(): Promise<Collector> {
  const waiting: (() => void)[] = []
  let held: PromiseWithResolvers<void> | undefined
  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = []
    for await (const piece of request) pieces.push(piece)
    const whole = Buffer.concat(pieces)
    collector.requests.push({ path: request.url ?? '', headers: request.headers })
    const bytes = request.headers['content-encoding'] === 'gzip' ? gunzipSync(whole) : whole
    if (collector.status === 200) collector.spans.push(...spansIn(bytes))
    await held?.promise
    response.writeHead(collector.status, { 'content-type': 'application/x-protobuf' }).end()
    for (const wake of waiting.splice(0)) wake()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const collector: Collector = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans: [],
    requests: [],
    status: 200,
    hold() {
      held = Promise.withResolvers()
    },
    release: () => held?.resolve(),
    async taken(count) {
      while (collector.spans.length < count) await new Promise<void>((resolve) => waiting.push(resolve))
      return collector.spans
    },
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
  return collector
}

type Message = {
  decode(bytes: Uint8Array): object
  toObject(message: object, options: object): unknown
}

const { ExportTraceServiceRequest } = (
  definitions as unknown as {
    readonly opentelemetry: {
      readonly proto: {
        readonly collector: {
          readonly trace: { readonly v1: Readonly<Record<'ExportTraceServiceRequest', Message>> }
        }
      }
    }
  }
).opentelemetry.proto.collector.trace.v1

function spansIn(bytes: Uint8Array): readonly TakenSpan[] {
  const message = ExportTraceServiceRequest.decode(bytes)
  const { resourceSpans } = ExportTraceServiceRequest.toObject(message, {
    longs: Number,
    enums: String,
  }) as Sent
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) => spans.map((span) => taken(span, valuesOf(resource.attributes)))),
  )
}

function taken(span: SentSpan, resource: TakenSpan['resource']): TakenSpan {
  const { name, kind, traceState, startTimeUnixNano, endTimeUnixNano, status, attributes } = span
  return {
    name,
    kind: kind.replace('SPAN_KIND_', ''),
    traceId: hex(span.traceId),
    spanId: hex(span.spanId),
    parentSpanId: span.parentSpanId && hex(span.parentSpanId),
    traceState,
    startEpochMs: startTimeUnixNano / 1e6,
    durationMs: (endTimeUnixNano - startTimeUnixNano) / 1e6,
    isError: status?.code === 'STATUS_CODE_ERROR',
    attributes: valuesOf(attributes),
    resource,
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

function valuesOf(attributes: readonly SentAttribute[] = []): Readonly<Record<string, unknown>> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]))
}

type Sent = {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes?: readonly SentAttribute[] }
    readonly scopeSpans: readonly { readonly spans: readonly SentSpan[] }[]
  }[]
}

type SentSpan = {
  readonly name: string
  readonly kind: string
  readonly traceId: Uint8Array
  readonly spanId: Uint8Array
  readonly parentSpanId?: Uint8Array
  readonly traceState?: string
  readonly startTimeUnixNano: number
  readonly endTimeUnixNano: number
  readonly status?: { readonly code?: string }
  readonly attributes?: readonly SentAttribute[]
}

type SentAttribute = { readonly key: string; readonly value: Readonly<Record<string, unknown>> }
