import { loadConfig } from '../../src/config.ts'
import { providers } from '../../src/providers/all.ts'
import { startTestGateway, type TestGateway } from './gateway.ts'
import { onlyFile } from './only-file.ts'

/** A gateway in this process by a configuration as an operator writes it. */
export function startGatewayOver(file: object): Promise<TestGateway> {
  const config = loadConfig({
    environment: { GATEWAY_CONFIG: 'gateway.yaml' },
    readFile: onlyFile(JSON.stringify(file)),
    providers,
  })
  const { providers: read, routes } = config
  return startTestGateway({ providers: read, routes, demo: false })
}

/** One over a provider of that address, without retries, which has every model. */
export function startGatewayAt(origin: string, provider: object = {}): Promise<TestGateway> {
  const up = { type: 'openai-compatible', baseUrl: `${origin}/v1`, retries: 0, ...provider }
  return startGatewayOver({ providers: { up }, models: { '*': { deployments: [{ provider: 'up' }] } } })
}

export type Heard = {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** Of a JSON answer, or of the events of a stream that are JSON, each. */
  readonly values: readonly unknown[]
}

export async function ask(gateway: TestGateway, path: string, body: object): Promise<Heard> {
  const response = await fetch(gateway.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const text = await response.text()
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true
  const events = text.split('\n').filter((line) => line.startsWith('data: ') && !line.endsWith('[DONE]'))
  const values: unknown[] = isStream ? events.map((line) => JSON.parse(line.slice(6))) : [JSON.parse(text)]
  return { status: response.status, headers: response.headers, text, values }
}
