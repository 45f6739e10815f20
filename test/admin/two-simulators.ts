import { expect } from 'vitest'
import { inTest, startTestGateway } from '../harness/gateway.ts'

/** Two simulators, `first` and `second`. */
export async function startTwoSimulators() {
  const place = (provider: string, model: string) => ({ provider, model, retries: 0 })
  const strategy = 'first' as const
  const config = {
    providers: ['first', 'second'].map((name) => ({ name, type: 'simulator', settings: {} })),
    routes: [
      { pattern: 'both', strategy, deployments: [place('first', 'org/m'), place('second', 'org/m')] },
      { pattern: 'sole', strategy, deployments: [place('first', 'org/m')] },
      { pattern: 'slow', strategy, deployments: [place('first', 'sim-slow-700')] },
    ],
  }
  const gateway = await startTestGateway(config)
  const send = async (method: string, path: string, sent?: object) => {
    const response = await fetch(gateway.url + path, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(sent === undefined ? {} : { body: JSON.stringify(sent) }),
    })
    const body = (await response.json()) as Body
    return { status: response.status, provider: response.headers.get('x-pandotate-provider'), body }
  }
  const asked = (model: string) => ({ model, messages: [{ role: 'user', content: 'Hello' }] })
  return {
    admin: (method: string, path: string, sent?: object) => send(method, `/admin/api${path}`, sent),
    explain: (model: string) => send('POST', '/v1/route/explain', asked(model)),
    async call(model: string) {
      const { status, provider } = await send('POST', '/v1/chat/completions', asked(model))
      return [status, provider]
    },
    async underWay(id: string): Promise<void> {
      for (;;) {
        const { body } = await send('GET', '/admin/api/deployments')
        const rows = body.data as readonly Row[]
        if (rows.some((row) => row.id === id && row.in_flight > 0)) return
      }
    },
    reload() {
      const providers = config.providers.map((one) => ({ ...one, settings: { another: true } }))
      gateway.gateway.reload(() => inTest({ ...config, providers }))
      expect(gateway.logged()).toContain('the configuration was applied')
    },
    [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose](),
  }
}

/** The fields of answers that the tests read. */
type Body = {
  readonly data: unknown
  readonly error: { readonly code: string }
  readonly plan: readonly string[]
  readonly candidates: readonly unknown[]
}

type Row = { readonly id: string; readonly in_flight: number }
