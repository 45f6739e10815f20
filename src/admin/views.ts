import type { z } from 'zod'
import { type Budget, budgetOf, isWhole } from '../tenants/budgets/budget.ts'
import type { BudgetReading } from '../tenants/budgets/budget-reading.ts'
import { readBudgets } from '../tenants/budgets/budget-reading.ts'
import { limitNameOf } from '../tenants/budgets/refusal.ts'
import type { Key, RateRule, Team } from '../tenants/keys/key.ts'
import type { Tenants } from '../tenants/tenants.ts'
import { usdOf } from '../tenants/usd.ts'
import type { budgetView, keyView, teamView } from './schemas.ts'

/** Keys as the API shows them, with what they have spent. */
export async function keyViews(keys: readonly Key[], tenants: Tenants): Promise<readonly KeyView[]> {
  const usages = await tenants.usage.of(keys.map(({ id }) => id))
  return await Promise.all(
    keys.map(async (key, at) => {
      const { usage: _, ...own } = await moneyView(keyBudgets(key), key.rates, tenants)
      const used = usages[at] ?? { total: 0, day: 0, week: 0, month: 0 }
      return {
        ...identityOf(key, tenants),
        ...own,
        ...usageView(used),
        ...openRouterView(key),
        ...allowed(key),
      }
    }),
  )
}

export async function viewOfKey(key: Key, tenants: Tenants): Promise<KeyView> {
  const [view] = await keyViews([key], tenants)
  if (view === undefined) throw new TypeError('One key has one view.')
  return view
}

export async function viewOfTeam(team: Team, tenants: Tenants): Promise<TeamView> {
  const { registry } = tenants
  const budgets = team.budgets.map((rule) => budgetOf({ kind: 'team', id: team.id }, rule))
  const { usage, ...own } = await moneyView(budgets, team.rates, tenants)
  const keys = registry.keys().filter((key) => key.team === team.id)
  const usages = await tenants.usage.of(keys.map(({ id }) => id))
  const sum = (of: (used: (typeof usages)[number]) => number) =>
    usages.reduce((all, used) => all + of(used), 0)
  const used = {
    total: sum(({ total }) => total),
    day: sum(({ day }) => day),
    week: sum(({ week }) => week),
    month: sum(({ month }) => month),
  }
  return {
    ...{ id: team.id, name: team.id, keys: keys.length },
    managed_by: registry.isOfFile('team', team.id) ? 'file' : 'api',
    created_at: isoOf(team.createdAtMs),
    updated_at: isoOf(team.updatedAtMs),
    ...own,
    ...usageView(used),
    ...allowed(team),
  }
}

export function budgetViewOf(reading: BudgetReading): BudgetView {
  const { budget, spentNanoUsd, heldNanoUsd, uncertainNanoUsd, limitNanoUsd, opensAtMs } = reading
  const { rule, scope } = budget
  return {
    ...{ id: budget.id, title: reading.title, scope: scope.kind, name: rule.name ?? null },
    scope_id: scope.kind === 'gateway' ? null : scope.id,
    limit_name: limitNameOf(budget),
    ...amount('limit', limitNanoUsd),
    ...amount('raised', limitNanoUsd - rule.limitNanoUsd),
    ...amount('spent', spentNanoUsd),
    ...amount('held', heldNanoUsd),
    ...amount('uncertain', uncertainNanoUsd),
    ...amount('remaining', remainingOf(reading)),
    ...{ window: rule.window, window_id: reading.window, zone: rule.zone },
    week_start: rule.weekStart,
    resets_at: opensAtMs === undefined ? null : isoOf(opensAtMs),
    ...{ models: [...rule.models], providers: [...rule.providers], per_user: rule.isPerUser },
  }
}

export type KeyView = z.infer<typeof keyView>
export type TeamView = z.infer<typeof teamView>
export type BudgetView = z.infer<typeof budgetView>

export function isoOf(epochMs: number): string {
  return new Date(epochMs).toISOString()
}

function keyBudgets(key: Key): readonly Budget[] {
  return key.budgets.map((rule) => budgetOf({ kind: 'key', id: key.id, name: key.name || key.label }, rule))
}

function identityOf(key: Key, { registry }: Tenants) {
  const lastUse = registry.lastUse(key.id)
  return {
    ...{ hash: key.id, label: key.label, name: key.name, kind: key.kind, role: key.role ?? null },
    ...{ team: key.team ?? null, owner: key.owner ?? null, tags: [...key.tags] },
    ...{ strategy: key.strategy ?? null, disabled: key.isDisabled },
    managed_by: registry.isOfFile('key', key.id) ? ('file' as const) : ('api' as const),
    expires_at: key.expiresAtMs === undefined ? null : isoOf(key.expiresAtMs),
    created_at: isoOf(key.createdAtMs),
    updated_at: key.updatedAtMs === key.createdAtMs ? null : isoOf(key.updatedAtMs),
    last_used_at: lastUse === undefined ? null : isoOf(lastUse),
  }
}

async function moneyView(budgets: readonly Budget[], rates: RateRule, { desk }: Tenants) {
  const readings = await readBudgets(budgets, desk)
  const limit = readings.find(({ budget }) => isWhole(budget.rule)) ?? readings[0]
  const held = Math.max(0, ...readings.map(({ heldNanoUsd }) => heldNanoUsd))
  const uncertain = Math.max(0, ...readings.map(({ uncertainNanoUsd }) => uncertainNanoUsd))
  const remaining = limit && remainingOf(limit)
  return {
    limit: limit === undefined ? null : usdOf(limit.limitNanoUsd),
    limit_nano_usd: limit?.limitNanoUsd ?? null,
    limit_remaining: remaining === undefined ? null : usdOf(remaining),
    limit_remaining_nano_usd: remaining ?? null,
    limit_reset: limit === undefined ? null : resets[limit.budget.rule.window],
    ...amount('held', held),
    ...amount('uncertain', uncertain),
    budgets: readings.map(budgetViewOf),
    ...{ rpm: rates.rpm ?? null, tpm: rates.tpm ?? null, concurrency: rates.concurrency ?? null },
    usage: limit?.spentNanoUsd ?? 0,
  }
}

const resets = {
  ...{ day: 'daily', week: 'weekly', month: 'monthly' },
  ...{ quarter: 'quarterly', year: 'yearly', total: null },
} as const

function usageView(used: { total: number; day: number; week: number; month: number }) {
  return {
    ...amount('usage', used.total),
    ...amount('usage_daily', used.day),
    ...amount('usage_weekly', used.week),
    ...amount('usage_monthly', used.month),
  }
}

function openRouterView({ owner, team }: Key) {
  return {
    ...{ byok_usage: 0, byok_usage_daily: 0, byok_usage_weekly: 0, byok_usage_monthly: 0 },
    ...{ include_byok_in_limit: false, creator_user_id: owner ?? null, external_user: null },
    workspace_id: team ?? 'default',
  }
}

function allowed({ models, providers }: Pick<Key, 'models' | 'providers'>) {
  return { models: [...models], providers: [...providers] }
}

function remainingOf({ limitNanoUsd, spentNanoUsd, heldNanoUsd, uncertainNanoUsd }: BudgetReading): number {
  return Math.max(0, limitNanoUsd - spentNanoUsd - heldNanoUsd - uncertainNanoUsd)
}

/** A number of USD, and its exact twin. */
function amount<Name extends string>(name: Name, nanoUsd: number) {
  return { [name]: usdOf(nanoUsd), [`${name}_nano_usd`]: nanoUsd } as Record<
    Name | `${Name}_nano_usd`,
    number
  >
}
