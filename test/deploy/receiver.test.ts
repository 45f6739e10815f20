import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { expect, test } from 'vitest'
import { noTracing, startTestGateway } from '../harness/gateway.ts'
import { missingTool, toolPath } from './tools.ts'

test.skipIf(missingTool('otlp-receiver'))(
  'OpenTelemetry’s own receiver takes the spans of a call (skipped where there is none)',
  async () => {
    const address = `127.0.0.1:${await freePort()}`
    const receiver = spawn(toolPath('otlp-receiver'), [address], { stdio: ['ignore', 'pipe', 'inherit'] })
    const lines = createInterface({ input: receiver.stdout })[Symbol.asyncIterator]()
    try {
      expect(JSON.parse((await lines.next()).value ?? '')).toEqual({ ready: true })
      const endpoint = `http://${address}/v1/traces`
      const batch = { ...noTracing.batch, delayMs: 5 }
      await using gateway = await startTestGateway({
        tracing: { ...noTracing, endpoint, compression: 'gzip', batch },
      })
      const response = await fetch(`${gateway.url}/v1/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', tracestate: 'a=1', traceparent },
        body: JSON.stringify({ model: 'm', prompt: 'Hello.' }),
      })
      expect(response.status).toBe(200)
      const taken: Taken = JSON.parse((await lines.next()).value ?? '')
      const spans = taken.resourceSpans.flatMap((one) => one.scopeSpans.flatMap(({ spans }) => spans))
      expect(spans.map(({ name, traceId }) => [name, traceId])).toEqual([
        ['POST /v1/completions', trace],
        ['text_completion', trace],
      ])
      expect(spans[0]).toMatchObject({ kind: 2, parentSpanId: callerSpan, traceState: 'a=1' })
      expect(spans[1]).toMatchObject({ kind: 3, parentSpanId: spans[0]?.spanId })
      expect(spans[1]?.attributes).toContainEqual({
        key: 'gen_ai.operation.name',
        value: { stringValue: 'text_completion' },
      })
    } finally {
      receiver.kill()
      await once(receiver, 'exit')
    }
  },
)

const trace = '0af7651916cd43dd8448eb211c80319c'
const callerSpan = 'b7ad6b7169203331'
const traceparent = `00-${trace}-${callerSpan}-01`

type Taken = {
  readonly resourceSpans: readonly { readonly scopeSpans: readonly { readonly spans: readonly Span[] }[] }[]
}

type Span = {
  readonly name: string
  readonly traceId: string
  readonly spanId: string
  readonly attributes: readonly unknown[]
}

/** The receiver does not say which port it took. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
