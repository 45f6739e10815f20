import { strict as assert } from 'node:assert'
import { setTimeout } from 'node:timers/promises'
import { type GatewayOptions, type GatewayProcess, startGateway } from '../acceptance/gateway-process.ts'
import { type BillingUpstream, billingPrice } from './upstream/billing-upstream.ts'

/** A gateway with a ledger and a budget, before an upstream that bills. */
export function startLedgerGateway(
  upstream: BillingUpstream,
  directory: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<GatewayProcess> {
  const file = JSON.stringify({
    auth: { keys: [callersKey] },
    providers: {
      upstream: { type: 'openai-compatible', baseUrl: upstream.baseUrl, apiKey: 'sk-upstream-key' },
    },
    models: { m: { deployments: [{ provider: 'upstream', price: billingPrice }] } },
    budgets: { gateway: [{ limitUsd: 1000, window: 'total' }] },
  })
  const given: GatewayOptions = {
    directory,
    file,
    environment: { ADMIN_KEY: adminKey, DATA_DIR: 'data', ...environment },
  }
  return startGateway(given)
}

const callersKey = 'a-key-for-callers-of-chaos'
const adminKey = 'a-key-for-operators-of-chaos'

/** Has a call answered, and gives its id. Rejects where it is not. */
export async function askOnce(url: string): Promise<string> {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${callersKey}` },
    body: JSON.stringify({ model: 'm', max_tokens: 20, messages: [{ role: 'user', content: 'Hello' }] }),
  })
  const text = await response.text()
  assert.equal(response.status, 200, text)
  return response.headers.get('x-request-id') ?? ''
}

export async function readAdmin<Body>(url: string, path: string): Promise<Body> {
  const response = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${adminKey}` } })
  const text = await response.text()
  assert.equal(response.status, 200, text)
  return JSON.parse(text) as Body
}

/** Every call of the ledger, by its pages. */
export async function idsInLedger(url: string): Promise<readonly string[]> {
  const ids: string[] = []
  for (let before = ''; ; ) {
    const page = await readAdmin<{ data: { id: string }[]; next: string | null }>(
      url,
      `/admin/api/calls?limit=1000${before}`,
    )
    ids.push(...page.data.map(({ id }) => id))
    if (page.next === null) return ids
    before = `&before=${encodeURIComponent(page.next)}`
  }
}

/** Callers that ask one call after the other, until they are to stop or the gateway is gone. */
export function startCallers(url: string, count: number, acknowledged: string[]) {
  let isOver = false
  const running = Array.from({ length: count }, async () => {
    while (!isOver) {
      const id = await askOnce(url).catch(() => undefined)
      if (id === undefined) return
      acknowledged.push(id)
    }
  })
  return {
    async stop() {
      isOver = true
      await Promise.all(running)
    },
  }
}

/** Resolves once it is so. Rejects after half a minute. */
export async function until(what: string, isSo: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = performance.now() + 120_000
  while (!(await isSo())) {
    assert(performance.now() < deadline, `not in time: ${what}`)
    await setTimeout(50)
  }
}
