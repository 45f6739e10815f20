import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, test } from 'vitest'
import { loadConfig } from '../../src/config.ts'
import { providers } from '../../src/providers/all.ts'
import { type Collector, startCollector } from '../harness/collector.ts'
import { startTestGateway } from '../harness/gateway.ts'
import { onlyFile } from '../harness/only-file.ts'

const secret = 'collector-secret-of-mine'
const trace = '0af7651916cd43dd8448eb211c80319c'
const callerSpan = 'b7ad6b7169203331'

describe('a call', () => {
  test('is a span of the server’s, and each of its attempts one of a client’s', async () => {
    await using place = await startPlaces()
    await using gateway = await startTraced(place)
    const response = await ask(gateway.url, { model: 'tiny' })
    expect(response.status).toBe(200)
    const [own, first, second, ...rest] = await place.collector.taken(3)
    expect(rest).toEqual([])
    const id = response.headers.get('x-request-id')
    expect(own).toMatchObject({
      ...{ name: 'POST /v1/chat/completions', kind: 'SERVER', parentSpanId: undefined, isError: false },
      attributes: {
        'http.request.method': 'POST',
        'http.route': '/v1/chat/completions',
        'http.response.status_code': 200,
        'url.scheme': 'http',
        'pandotate.request_id': id,
        'pandotate.deployment': 'small@good',
        'pandotate.model': 'tiny',
        'pandotate.attempts': 2,
        'pandotate.cost_usd': 0.000011,
        'pandotate.kept': 'sampled',
      },
      resource: {
        'service.name': 'ours',
        'deployment.environment.name': 'a test',
        'telemetry.sdk.language': 'nodejs',
      },
    })
    expect(first).toMatchObject({
      ...{
        name: 'chat small',
        kind: 'CLIENT',
        isError: true,
        parentSpanId: own?.spanId,
        traceId: own?.traceId,
      },
      attributes: {
        ...{ 'gen_ai.operation.name': 'chat', 'gen_ai.system': 'bad', 'gen_ai.request.model': 'small' },
        ...{ 'http.response.status_code': 503, 'error.type': 'overloaded', 'pandotate.attempt': 0 },
      },
    })
    expect(second).toMatchObject({
      ...{
        name: 'chat small',
        kind: 'CLIENT',
        isError: false,
        parentSpanId: own?.spanId,
        traceId: own?.traceId,
      },
      attributes: {
        ...{ 'gen_ai.system': 'good', 'gen_ai.usage.input_tokens': 7, 'gen_ai.usage.output_tokens': 2 },
        ...{ 'pandotate.attempt': 1, 'pandotate.cost_usd': 0.000011, 'pandotate.deployment': 'small@good' },
      },
    })
    const record = await gateway.recorded()
    expect(own?.startEpochMs).toBeCloseTo(record.startedEpochMs, 0)
    expect(own?.durationMs).toBeCloseTo(record.totalMs, 1)
    expect(second?.durationMs).toBeCloseTo(record.attempts[1]?.totalMs ?? 0, 1)
    // Each attempt's own span is what its upstream was sent.
    expect(place.asked.map(({ traceparent }) => traceparent)).toEqual(
      [first, second].map((span) => `00-${own?.traceId}-${span?.spanId}-01`),
    )
    expect(place.asked.map(({ tracestate }) => tracestate)).toEqual([undefined, undefined])
    // And by the log line the trace is found.
    expect(gateway.logged()).toContain(`"traceId":"${own?.traceId}"`)
    const [{ path, headers } = { path: '', headers: {} }] = place.collector.requests
    expect(path).toBe('/v1/traces')
    expect(headers).toMatchObject({ 'x-api-key': secret, 'content-type': 'application/x-protobuf' })
    expect(JSON.stringify([place.collector.spans, place.asked, gateway.logged()])).not.toContain(secret)
    expect(JSON.stringify(place.collector.spans)).not.toContain('What is the secret of')
  })

  test('continues with its caller’s trace', async () => {
    await using place = await startPlaces()
    await using gateway = await startTraced(place)
    const headers = { traceparent: `00-${trace}-${callerSpan}-01`, tracestate: 'vendor=1' }
    await ask(gateway.url, { model: 'other' }, headers)
    const [own, attempt] = await place.collector.taken(2)
    expect(own).toMatchObject({ traceId: trace, parentSpanId: callerSpan, traceState: 'vendor=1' })
    expect(place.asked).toMatchObject([
      { traceparent: `00-${trace}-${attempt?.spanId}-01`, tracestate: 'vendor=1' },
    ])
  })

  test.for([
    ['the names that backends have known for long', '', 'gen_ai.system', 'gen_ai.provider.name'],
    ['the latest', 'http,gen_ai_latest_experimental', 'gen_ai.provider.name', 'gen_ai.system'],
  ] as const)('has %s', async ([, optIn, here, gone]) => {
    await using place = await startPlaces()
    await using gateway = await startTraced(place, { OTEL_SEMCONV_STABILITY_OPT_IN: optIn })
    await ask(gateway.url, { model: 'other' })
    const [, attempt] = await place.collector.taken(2)
    expect(attempt?.attributes).toHaveProperty([here], 'good')
    expect(attempt?.attributes).not.toHaveProperty([gone])
  })

  test('gives no span a name that its caller made up', async () => {
    await using place = await startPlaces()
    await using gateway = await startTraced(place)
    const invented = 'made-up-by-a-caller'
    await ask(gateway.url, { model: invented })
    const spans = await place.collector.taken(2)
    expect(spans.map(({ name }) => name)).toEqual(['POST /v1/chat/completions', 'chat'])
    expect(spans[1]?.attributes).toHaveProperty(['gen_ai.request.model'], invented)
  })

  test('under Azure’s paths has the route of the call, not the path', async () => {
    await using place = await startPlaces()
    await using gateway = await startTraced(place)
    const path = '/openai/deployments/made-up/chat/completions'
    await ask(gateway.url, {}, {}, path)
    const [own] = await place.collector.taken(2)
    expect(own).toMatchObject({ name: 'POST /v1/chat/completions' })
    expect(own?.attributes).toHaveProperty(['url.path'], '/v1/chat/completions')
  })

  test('that is not sampled has no spans, unless it fails over, fails or is slow', async () => {
    await using place = await startPlaces()
    const sampling = { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0' }
    await using gateway = await startTraced(place, sampling)
    await ask(gateway.url, { model: 'other' })
    await ask(gateway.url, { model: 'tiny' })
    await ask(gateway.url, { model: 'broken' })
    // A caller's mistake is none of the gateway's failures.
    await ask(gateway.url, { model: 'other', messages: 'none' })
    await gateway.gateway.stop()
    const servers = place.collector.spans.filter(({ kind }) => kind === 'SERVER')
    expect(servers.map(({ attributes }) => attributes['pandotate.kept'])).toEqual(['failed_over', 'failed'])
    // The flags that upstreams got: unsampled until it failed over, because that was not known before.
    expect(place.asked.map(({ traceparent }) => traceparent?.slice(-2))).toEqual(['00', '00', '01', '00'])
  })

  test('is one of a trace, and sent on, only where that is wanted', async () => {
    await using place = await startPlaces()
    await using gateway = await startTraced(place, { OTEL_SDK_DISABLED: 'true' })
    await ask(
      gateway.url,
      { model: 'other' },
      { traceparent: `00-${trace}-${callerSpan}-01`, tracestate: 'a=b' },
    )
    expect(place.asked).toHaveLength(1)
    expect(place.asked[0]).not.toHaveProperty('traceparent')
    expect(place.asked[0]).not.toHaveProperty('tracestate')
    expect(gateway.logged()).not.toContain('traceId')
    expect(await place.metrics(gateway.url)).toBe('pandotate_spans_exported_total 0')
    await gateway.gateway.stop()
    expect(place.collector.requests).toEqual([])
  })
})

describe('spans that never arrive', () => {
  test('are counted, and said once in the log without the collector’s words', async () => {
    await using place = await startPlaces()
    place.collector.status = 400
    await using gateway = await startTraced(place, { OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip' })
    await ask(gateway.url, { model: 'other' })
    await expect.poll(() => place.metrics(gateway.url)).toContain('lost_total{reason="export_failed"} 2')
    place.collector.status = 200
    await ask(gateway.url, { model: 'other' })
    await place.collector.taken(2)
    await expect.poll(() => place.metrics(gateway.url)).toContain('exported_total 2')
    const said = gateway
      .logged()
      .split('\n')
      .filter((line) => line.includes('spans were lost'))
    expect(said).toHaveLength(1)
    expect(JSON.parse(said[0] ?? '')).toMatchObject({ why: 'export_failed', code: 400 })
    expect(gateway.logged()).not.toContain(secret)
  })

  test('because too many wait are counted, and calls continue', async () => {
    await using place = await startPlaces()
    const batch = { OTEL_BSP_MAX_QUEUE_SIZE: '3', OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '3' }
    await using gateway = await startTraced(place, { ...batch, OTEL_BSP_SCHEDULE_DELAY: '3600000' })
    place.collector.hold()
    for (let turn = 0; turn < 6; turn++) expect((await ask(gateway.url, { model: 'other' })).status).toBe(200)
    await expect.poll(() => place.metrics(gateway.url)).toContain('lost_total{reason="queue_full"}')
    place.collector.release()
  })

  test('are few when the gateway stops: what waits is sent first', async () => {
    await using place = await startPlaces()
    await using gateway = await startTraced(place, { OTEL_BSP_SCHEDULE_DELAY: '3600000' })
    await ask(gateway.url, { model: 'other' })
    await gateway.gateway.stop()
    expect(place.collector.spans).toHaveLength(2)
  })
})

type Places = AsyncDisposable & {
  readonly collector: Collector
  /** What the upstreams were sent, in order. */
  readonly asked: IncomingHttpHeaders[]
  readonly good: string
  readonly bad: string
  /** The lines about spans in a gateway's metrics. */
  metrics(url: string): Promise<string>
}

/** A collector, an upstream that answers, and one that fails. */
async function startPlaces(): Promise<Places> {
  const asked: IncomingHttpHeaders[] = []
  await using opened = new AsyncDisposableStack()
  const collector = opened.use(await startCollector())
  const serve = async (status: number, body: object) => {
    const server = createServer((request, response) => {
      asked.push(request.headers)
      request.resume()
      request.on('end', () =>
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body)),
      )
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    opened.defer(() => void server.close().closeAllConnections())
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`
  }
  const message = { role: 'assistant', content: 'Hello.' }
  const good = await serve(200, {
    ...{ id: 'chatcmpl-1', object: 'chat.completion', created: 1, model: 'small' },
    choices: [{ index: 0, message, finish_reason: 'stop' }],
    usage: { prompt_tokens: 7, completion_tokens: 2, total_tokens: 9 },
  })
  const bad = await serve(503, { error: { message: 'What is the secret of' } })
  const kept = opened.move()
  return {
    ...{ collector, asked, good, bad },
    async metrics(url) {
      const text = await (await fetch(`${url}/metrics`)).text()
      return text
        .split('\n')
        .filter((line) => line.startsWith('pandotate_spans_'))
        .join('\n')
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

/** A gateway that traces by what the environment says, over a provider that fails and one that does not. */
function startTraced({ collector, good, bad }: Places, environment: Readonly<Record<string, string>> = {}) {
  const provider = { type: 'openai-compatible', retries: 0 }
  const price = { input: 1, output: 2 }
  const file = {
    providers: { good: { ...provider, baseUrl: good }, bad: { ...provider, baseUrl: bad } },
    models: {
      tiny: {
        deployments: [
          { provider: 'bad', model: 'small' },
          { provider: 'good', model: 'small', price },
        ],
      },
      broken: { deployments: [{ provider: 'bad', model: 'small' }] },
      '*': { deployments: [{ provider: 'good' }] },
    },
  }
  const {
    providers: read,
    routes,
    tracing,
  } = loadConfig({
    environment: {
      GATEWAY_CONFIG: 'gateway.yaml',
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_EXPORTER_OTLP_HEADERS: `x-api-key=${secret}`,
      OTEL_RESOURCE_ATTRIBUTES: 'service.name=other,deployment.environment.name=a%20test',
      OTEL_SERVICE_NAME: 'ours',
      OTEL_BSP_SCHEDULE_DELAY: '5',
      ...environment,
    },
    readFile: onlyFile(JSON.stringify(file)),
    providers,
  })
  return startTestGateway({ providers: read, routes, tracing, demo: false })
}

function ask(
  url: string,
  body: Readonly<Record<string, unknown>>,
  headers: Readonly<Record<string, string>> = {},
  path = '/v1/chat/completions',
): Promise<Response> {
  return fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ messages: [{ role: 'user', content: 'What is the secret of life?' }], ...body }),
  })
}
