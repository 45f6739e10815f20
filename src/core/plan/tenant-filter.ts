import type { Deployment } from '../model/ports.ts'
import type { CallTenant } from '../model/tenant.ts'
import type { Removal } from './suitability.ts'

/** Why a deployment may not take a tenant's calls; undefined: it may. */
export function tenantRejection(tenant: CallTenant, deployment: Deployment): Removal | undefined {
  if (!tenant.allowsProvider(deployment.upstream.name)) {
    return { deployment, filter: 'tenant', reason: 'is at a provider that the key may not use' }
  }
  if (tenant.payer === undefined || isPriceKnown(deployment)) return undefined
  const { id, upstream, upstreamModel = deployment.madeFor } = deployment
  const line = priceLine(upstreamModel ?? id, upstream.name)
  const reason = `has no known price, and a budget applies: set its price in gateway.yaml, such as ${line}`
  return { deployment, filter: 'unpriced', reason }
}

/** The line of gateway.yaml that sets a model's price, in USD per million tokens. */
export function priceLine(model: string, provider: string): string {
  return `models: { ${JSON.stringify(model)}: { deployments: [{ provider: ${provider}, price: { input: 0.20, output: 0.60 } }] } }`
}

/** A 0 that an operator wrote is a price. A 0 in a provider's list may be a field that was left empty. */
export function isPriceKnown({ price, priceOrigin }: Pick<Deployment, 'price' | 'priceOrigin'>): boolean {
  const { inputNanoUsdPerMillion: input, outputNanoUsdPerMillion: output, nanoUsdPerSecond } = price
  if (nanoUsdPerSecond !== undefined) return true
  if (input === undefined || output === undefined) return false
  return input > 0 || output > 0 || priceOrigin?.source !== 'listed'
}
