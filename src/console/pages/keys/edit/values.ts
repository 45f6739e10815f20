import { localOf } from '../../../parts/span.ts'
import type { BudgetView, KeyView, TeamView } from '../wire.ts'

/** What can be changed of a key or a team, as it stands in the fields of a form, by its name in the admin API. */
export type Values = Readonly<Record<TextName, string>> & { readonly budgets: readonly BudgetValues[] }

export type TextName =
  | ('name' | 'team' | 'owner' | 'tags' | 'strategy' | 'expires_at')
  | ('models' | 'providers' | 'rpm' | 'tpm' | 'concurrency' | 'limit' | 'limit_reset')

export type ValueName = keyof Values

/** A budget beside the one limit. */
export type BudgetValues = {
  readonly name: string
  readonly limit: string
  readonly window: string
  readonly zone: string
  readonly week_start: string
  readonly models: string
  readonly providers: string
  readonly per_user: boolean
}

/** Of a key or a team that is to be made. */
export const noValues: Values = {
  ...{ name: '', team: '', owner: '', tags: '', strategy: '', expires_at: '' },
  ...{ models: '', providers: '', rpm: '', tpm: '', concurrency: '', limit: '', limit_reset: 'monthly' },
  budgets: [],
}

export const noBudget: BudgetValues = {
  ...{ name: '', limit: '', window: 'month', zone: 'UTC', week_start: '1' },
  ...{ models: '', providers: '', per_user: false },
}

export function valuesOf(view: KeyView | TeamView): Values {
  const { name, models, providers, rpm, tpm, concurrency, budgets } = view
  const whole = budgets.find((budget) => budget.name === limitName)
  return {
    ...noValues,
    ...('hash' in view ? identityOf(view) : {}),
    ...{ name, models: models.join(', '), providers: providers.join(', ') },
    ...{ rpm: textOf(rpm), tpm: textOf(tpm), concurrency: textOf(concurrency) },
    ...(whole === undefined ? {} : { limit: writtenLimit(whole), limit_reset: resets[whole.window] ?? '' }),
    budgets: budgets.filter((budget) => budget !== whole).map(budgetOf),
  }
}

/** What the admin API is to be asked for: only what is another than before. */
export function changesOf(before: Values, after: Values): Readonly<Record<string, unknown>> {
  const changed = (name: ValueName) => !isSame(before[name], after[name])
  const body: Record<string, unknown> = {}
  for (const name of ['name', 'team', 'owner', 'strategy'] as const) {
    if (changed(name)) body[name] = after[name].trim() || null
  }
  for (const name of ['tags', 'models', 'providers'] as const) {
    if (changed(name)) body[name] = listOf(after[name])
  }
  for (const name of ['rpm', 'tpm', 'concurrency'] as const) {
    if (changed(name)) body[name] = after[name] === '' ? null : Number(after[name])
  }
  if (changed('expires_at')) {
    body['expires_at'] = after.expires_at === '' ? null : new Date(after.expires_at).toISOString()
  }
  if (changed('budgets')) body['budgets'] = after.budgets.map(wireBudgetOf)
  return { ...body, ...limitChangeOf(before, after) }
}

/** Where two changed the same: what the other has made of it is in `theirs`. */
export function clashesOf(before: Values, mine: Values, theirs: Values): readonly ValueName[] {
  return (Object.keys(before) as ValueName[]).filter(
    (name) =>
      !isSame(before[name], mine[name]) &&
      !isSame(before[name], theirs[name]) &&
      !isSame(mine[name], theirs[name]),
  )
}

/** My changes on top of theirs. */
export function mergedOf(before: Values, mine: Values, theirs: Values): Values {
  const kept = Object.entries(mine).filter(([name, value]) => !isSame(before[name as ValueName], value))
  return { ...theirs, ...Object.fromEntries(kept) }
}

/** The one limit is the budget of this name. */
const limitName = 'limit'

const resets: Readonly<Record<string, string>> = { day: 'daily', week: 'weekly', month: 'monthly', total: '' }

function identityOf({ team, owner, tags, strategy, expires_at: expires }: KeyView) {
  return {
    ...{ team: team ?? '', owner: owner ?? '', strategy: strategy ?? '', tags: tags.join(', ') },
    expires_at: expires === null ? '' : localOf(Date.parse(expires)),
  }
}

function budgetOf(view: BudgetView): BudgetValues {
  const { name, window, zone, week_start: weekStart, models, providers, per_user: isPerUser } = view
  return {
    ...{ name: name ?? '', limit: writtenLimit(view), window, zone, week_start: String(weekStart) },
    ...{ models: models.join(', '), providers: providers.join(', '), per_user: isPerUser },
  }
}

/** Without what was added for the window of now alone. */
function writtenLimit({ limit_nano_usd: limit, raised_nano_usd: raised }: BudgetView): string {
  return String((limit - raised) / 1e9)
}

function wireBudgetOf({ name, limit, window, zone, week_start: weekStart, ...on }: BudgetValues): object {
  return {
    ...(name.trim() === '' ? {} : { name: name.trim() }),
    ...{ limit: Number(limit), window, zone: zone.trim() || 'UTC', week_start: Number(weekStart) },
    ...{ models: listOf(on.models), providers: listOf(on.providers), per_user: on.per_user },
  }
}

/** The limit, and the period that it is for, which a limit that was there keeps. */
function limitChangeOf(before: Values, after: Values): object {
  const isLimitChanged = before.limit !== after.limit
  const isResetChanged = before.limit_reset !== after.limit_reset
  if (after.limit === '') return isLimitChanged ? { limit: null } : {}
  return {
    ...(isLimitChanged ? { limit: Number(after.limit) } : {}),
    ...(isResetChanged || before.limit === '' ? { limit_reset: after.limit_reset || null } : {}),
  }
}

function listOf(text: string): readonly string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}

function textOf(count: number | null): string {
  return count === null ? '' : String(count)
}

function isSame(one: Values[ValueName], other: Values[ValueName]): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}
