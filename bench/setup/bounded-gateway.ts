import { type GatewayProcess, startGateway } from '../../test/acceptance/gateway-process.ts'
import { billingPrice } from '../../test/chaos/upstream/billing-upstream.ts'

/** A key with two budgets and three limits, which no call reaches, and one without. */
export const boundKey = 'a-key-of-the-bench-with-bounds'
export const plainKey = 'a-key-of-the-bench-without-bounds'
export const adminKey = 'a-key-of-the-bench-for-operators'

/** A gateway for these keys, before an upstream with the model `m`. */
export async function startBoundedGateway(
  baseUrl: string,
  dataDirectory: string,
  environment: Readonly<Record<string, string>>,
): Promise<GatewayProcess> {
  const bounds = { rpm: 100_000_000, tpm: 1_000_000_000, concurrency: 1000 }
  const budgets = [{ limitUsd: 1000 }, { limitUsd: 1000, window: 'day' }]
  const file = JSON.stringify({
    auth: { keys: [plainKey, { key: boundKey, ...bounds, budgets }] },
    log: { level: 'warn' },
    providers: { upstream: { type: 'openai-compatible', baseUrl, apiKey: 'sk-upstream-key' } },
    models: { m: { deployments: [{ provider: 'upstream', price: billingPrice }] } },
    ...{ catalog: { lists: false }, shared: { redis: { timeoutMs: 2000 } } },
  })
  return await startGateway({
    file,
    environment: { ADMIN_KEY: adminKey, DATA_DIR: dataDirectory, WORKERS: '1', ...environment },
  })
}
