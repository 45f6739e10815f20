import type { PriceBook } from '../../catalog/price-book.ts'
import type { Config } from '../../config.ts'
import { matchesPattern } from '../../core/model/pattern.ts'
import { isPriceKnown, priceLine } from '../../core/plan/tenant-filter.ts'
import { priceKey } from '../../main/upstreams/price-key.ts'
import { declaredBudgets } from '../../tenants/budgets/all-budgets.ts'
import { type Budget, titleOf } from '../../tenants/budgets/budget.ts'

/**
 * Warns of deployments that get no calls under a budget because their price is unknown. Each warning contains the line
 * to add.
 */
export function unpricedUnderBudgets(config: Config, book: PriceBook, epochMs: number): readonly string[] {
  const budgets = declaredBudgets(config.tenants)
  if (budgets.length === 0) return []
  return config.routes.flatMap(({ pattern, deployments }) => {
    const [first, ...others] = budgets.filter((budget) => mayMeet(budget, pattern))
    if (first === undefined) return []
    return deployments.flatMap(({ provider, model: name = pattern, price: own }) => {
      const written = config.providers.find((one) => one.name === provider)
      if (written === undefined) return []
      const key = priceKey(written)
      // If callers name the model, the provider's list has the price.
      if (name.includes('*') && (key.list !== undefined || book.served(provider).length > 0)) return []
      const model = name.includes('*') ? undefined : name
      const known = book.find({ provider: key, model, own }, epochMs)
      if (known !== undefined && isPriceKnown({ price: known.price, priceOrigin: known })) return []
      const more = others.length === 0 ? '' : ` and ${others.length} more`
      return [
        `the price of ${name} at ${provider} is unknown, and the budget ${titleOf(first)}${more} applies: ` +
          `no calls are sent there. Add ${priceLine(pattern, provider)}`,
      ]
    })
  })
}

/** True if the budget applies to some model of the route. */
function mayMeet({ rule: { models } }: Budget, route: string): boolean {
  return (
    models.length === 0 ||
    models.some((model) => matchesPattern(route, model) || matchesPattern(model, route))
  )
}
