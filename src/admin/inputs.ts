import type * as z from 'zod'
import { Failure } from '../core/model/failure.ts'
import { roundedNanoUsd } from '../core/model/price.ts'
import type { BudgetRule } from '../tenants/budgets/budget.ts'
import { isZone } from '../tenants/budgets/windows.ts'
import type { NewKey, NewTeam } from '../tenants/keys/changes.ts'
import type { RateRule } from '../tenants/keys/key.ts'
import type { budgetInput, keyChange, keyInput, teamChange, teamInput } from './schemas.ts'

type KeyChange = z.output<typeof keyChange>
type Limits = Pick<z.output<typeof teamChange>, keyof z.output<typeof teamChange>>
type Before = { readonly budgets: readonly BudgetRule[]; readonly rates: RateRule }

/** A key as requested. Throws Failure for what the schema cannot check. */
export function newKeyOf(asked: z.output<typeof keyInput>): NewKey {
  const { kind, role } = asked
  if (kind === 'inference' && role !== undefined) {
    throw new Failure('invalid_request', 'Only a management key has a role.', { param: 'role' })
  }
  return {
    ...{ name: asked.name, isDisabled: false, models: [], providers: [], budgets: [], rates: {}, tags: [] },
    ...keyChangeOf(asked, { budgets: [], rates: {} }),
    kind,
    ...(kind === 'management' ? { role: role ?? 'read' } : {}),
  }
}

/** The changed fields of a key: only those in the request. */
export function keyChangeOf(asked: KeyChange, before: Before): Partial<NewKey> {
  return {
    ...limitsOf(asked, before),
    ...given('name', asked.name),
    ...cleared('team', asked.team),
    ...cleared('owner', asked.owner),
    ...cleared('strategy', asked.strategy),
    ...given('tags', asked.tags),
    ...given('isDisabled', asked.disabled),
    ...cleared('expiresAtMs', momentOf(asked.expires_at)),
  }
}

export function newTeamOf({ name, ...asked }: z.output<typeof teamInput>): NewTeam {
  return {
    ...{ models: [], providers: [], budgets: [], rates: {} },
    ...limitsOf(asked, { budgets: [], rates: {} }),
    id: name,
  }
}

export function teamChangeOf(asked: z.output<typeof teamChange>, before: Before): Partial<NewTeam> {
  return limitsOf(asked, before)
}

function limitsOf(
  asked: Limits,
  before: Before,
): Partial<Pick<NewKey, 'models' | 'providers' | 'budgets' | 'rates'>> {
  const { rpm, tpm, concurrency } = asked
  const rates = { ...cleared('rpm', rpm), ...cleared('tpm', tpm), ...cleared('concurrency', concurrency) }
  const budgets = budgetsOf(asked, before.budgets)
  return {
    ...given('models', asked.models),
    ...given('providers', asked.providers),
    ...(budgets === undefined ? {} : { budgets }),
    ...(Object.keys(rates).length === 0 ? {} : { rates: { ...before.rates, ...rates } }),
  }
}

/** OpenRouter's single limit, and our budgets beside it. */
function budgetsOf(asked: Limits, before: readonly BudgetRule[]): readonly BudgetRule[] | undefined {
  const { limit, limit_reset: reset, budgets } = asked
  if (limit === undefined && reset === undefined && budgets === undefined) return undefined
  const known = before.find(({ name }) => name === limitName)
  const others =
    budgets?.map((one, at) => ruleOf(one, `budgets.${at}`)) ?? before.filter(({ name }) => name !== limitName)
  refuseTwins(others)
  if (limit === null) return others
  const limitNanoUsd = limit === undefined ? known?.limitNanoUsd : nanoOf(limit, 'limit')
  if (limitNanoUsd === undefined) {
    if (reset === undefined || reset === null) return others
    throw new Failure('invalid_request', 'A limit_reset needs a limit.', { param: 'limit' })
  }
  const window = reset === undefined ? (known?.window ?? 'total') : reset === null ? 'total' : resets[reset]
  const rule: BudgetRule = {
    ...{ name: limitName, limitNanoUsd, window, zone: 'UTC', weekStart: 1 },
    ...{ models: [], providers: [], isPerUser: false },
  }
  return [rule, ...others]
}

const limitName = 'limit'

const resets = { daily: 'day', weekly: 'week', monthly: 'month' } as const

function ruleOf(asked: z.output<typeof budgetInput>, place: string): BudgetRule {
  if (!isZone(asked.zone)) {
    throw new Failure('invalid_request', 'The zone is not an IANA time zone.', { param: `${place}.zone` })
  }
  return {
    name: asked.name,
    limitNanoUsd: nanoOf(asked.limit, `${place}.limit`),
    ...{ window: asked.window, zone: asked.zone, weekStart: asked.week_start },
    ...{ models: asked.models, providers: asked.providers, isPerUser: asked.per_user },
  }
}

function refuseTwins(rules: readonly BudgetRule[]): void {
  const ids = rules.map(
    ({ name, window, models, providers, isPerUser }) =>
      name ?? JSON.stringify([window, models, providers, isPerUser]),
  )
  if (new Set(ids).size === ids.length && !ids.includes(limitName)) return
  throw new Failure('invalid_request', 'No two budgets may have the same name, window and target.', {
    param: 'budgets',
  })
}

/** Throws Failure if somebody changed it after the state that this change is based on. */
export function requireUnchanged(
  { updatedAtMs }: { readonly updatedAtMs: number },
  since: string | undefined,
): void {
  if (since === undefined || updatedAtMs <= Date.parse(since)) return
  throw new Failure('conflict', 'Somebody changed it meanwhile: look at it as it is now, and change that.', {
    code: 'changed_meanwhile',
  })
}

/** Whole nano-USD of a number of USD. */
export function nanoOf(usd: number, param: string): number {
  try {
    return roundedNanoUsd(usd)
  } catch (thrown) {
    if (!(thrown instanceof RangeError)) throw thrown
    throw new Failure('invalid_request', 'This is not an amount in USD.', { param, cause: thrown })
  }
}

function momentOf(text: string | null | undefined): number | null | undefined {
  return typeof text === 'string' ? Date.parse(text) : text
}

function given<Name extends string, Value>(name: Name, value: Value | undefined) {
  return (value === undefined ? {} : { [name]: value }) as Partial<Record<Name, Value>>
}

/** Null removes the value. */
function cleared<Name extends string, Value>(name: Name, value: Value | null | undefined) {
  const kept = value ?? undefined
  return (value === undefined ? {} : { [name]: kept }) as Partial<Record<Name, Value | undefined>>
}
