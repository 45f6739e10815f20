import type { JsonObject } from '../../core/model/json/json.ts'
import { usdText } from '../../core/model/price.ts'
import type { BudgetStanding } from '../../core/model/tenant.ts'
import type { HoldQuote } from '../../core/quote.ts'

/** The hold of a call on its budgets, for `route/explain`. Unknown values are null. */
export function holdBody(quote: HoldQuote, budgets: readonly BudgetStanding[]): JsonObject {
  const { outcome, failure } = quote
  return {
    outcome,
    ...amount('amount', quote.nanoUsd),
    prompt_tokens: quote.promptTokens ?? null,
    completion_tokens: quote.outputTokens ?? null,
    budgets: budgets.map(standingBody),
    refused_with:
      failure === undefined
        ? null
        : { status: failure.status, code: failure.code, message: failure.message, param: failure.param },
  }
}

function standingBody(standing: BudgetStanding): JsonObject {
  const { opensAtMs } = standing
  return {
    ...{ id: standing.id, title: standing.title, window: standing.window },
    resets_at: opensAtMs === undefined ? null : new Date(opensAtMs).toISOString(),
    ...amount('limit', standing.limitNanoUsd),
    ...amount('spent', standing.spentNanoUsd),
    ...amount('held', standing.heldNanoUsd),
    ...amount('uncertain', standing.uncertainNanoUsd),
    ...amount('wanted', standing.wantedNanoUsd),
    blocks: standing.blocks,
  }
}

/** An amount as exact nano-USD and as text in USD. */
function amount(name: string, nanoUsd: number | undefined): JsonObject {
  return {
    [`${name}_nano_usd`]: nanoUsd ?? null,
    [`${name}_usd`]: nanoUsd === undefined ? null : usdText(nanoUsd),
  }
}
