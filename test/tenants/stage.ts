import { plainKey } from '../../src/config/tenancy.ts'
import type { Config } from '../../src/config.ts'
import { openaiCompatible } from '../../src/providers/openai/openai-compatible.ts'
import type { BudgetRule } from '../../src/tenants/budgets/budget.ts'
import type { Key } from '../../src/tenants/keys/key.ts'
import { noTenants, type TenantSettings } from '../../src/tenants/settings.ts'

export const secret = 'sk-budget-0123456789'

export const price = {
  inputNanoUsdPerMillion: 1_000_000_000,
  cachedInputNanoUsdPerMillion: undefined,
  outputNanoUsdPerMillion: 2_000_000_000,
  nanoUsdPerSecond: undefined,
}

export function rule(limitNanoUsd: number, more: Partial<BudgetRule> = {}): BudgetRule {
  return {
    ...{ window: 'total', zone: 'UTC', weekStart: 1, models: [], providers: [], isPerUser: false },
    limitNanoUsd,
    ...more,
  }
}

export function keyWith(more: Partial<Key>, of = secret): Key {
  return { ...plainKey(of), name: 'tester', ...more }
}

export function configAt(
  url: string,
  tenants: Partial<TenantSettings>,
  more: Partial<Config> = {},
): Partial<Config> {
  const settings = openaiCompatible.settings.parse({ baseUrl: url, concurrency: 1000, retries: 0 })
  return {
    keys: [secret],
    tenants: { ...noTenants, ...tenants },
    providers: [{ name: 'up', type: 'openai-compatible', settings }],
    routes: [{ pattern: '*', strategy: 'fallback', deployments: [{ provider: 'up', price: [{ price }] }] }],
    demo: false,
    ...more,
  }
}

export function ask(
  url: string,
  body: object = {},
  headers: Record<string, string> = {},
  signal: AbortSignal | null = null,
): Promise<Response> {
  return fetch(`${url}/v1/chat/completions`, {
    ...{ method: 'POST', signal },
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify({
      model: 'm',
      messages: [{ role: 'user', content: 'Say something, please.' }],
      max_tokens: 100,
      ...body,
    }),
  })
}
