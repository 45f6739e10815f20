import type * as z from 'zod'
import { Failure } from '../core/model/failure.ts'
import { roundedNanoUsd } from '../core/model/price.ts'
import { type BudgetRule, ruleId } from '../tenants/budgets/budget.ts'
import { isZone } from '../tenants/budgets/windows.ts'
import type { NewKey, NewTeam } from '../tenants/keys/changes.ts'
import type { RateRule } from '../tenants/keys/key.ts'
import type { budgetInput, keyChange, keyInput, teamChange, teamInput } from './schemas.ts'

type KeyChange = z.output<typeof keyChange>
type Limits = Pick<z.output<typeof teamChange>, keyof z.output<typeof teamChange>>
type Before = { readonly budgets: readonly BudgetRule[]; readonly rates: RateRule }

/** A key as requested. Throws Failure for what the schema cannot check. */
export function newKeyOf(input: z.output<typeof keyInput>): NewKey {
  const { kind, role } = input
  if (kind === 'inference' && role !== undefined) {
    throw new Failure('invalid_request', 'Only a management key has a role.', { param: 'role' })
  }
  return {
    ...{ name: input.name, isDisabled: false, models: [], providers: [], budgets: [], rates: {}, tags: [] },
    ...keyChangeOf(input, { budgets: [], rates: {} }),
    kind,
    ...(kind === 'management' ? { role: role ?? 'read' } : {}),
  }
}

/** The changed fields of a key: only those in the request. */
export function keyChangeOf(input: KeyChange, before: Before): Partial<NewKey> {
  return {
    ...limitsOf(input, before),
    ...given('name', input.name),
    ...cleared('team', input.team),
    ...cleared('owner', input.owner),
    ...cleared('strategy', input.strategy),
    ...given('tags', listed(input.tags)),
    ...given('isDisabled', input.disabled),
    ...cleared('expiresAtMs', momentOf(input.expires_at)),
  }
}

export function newTeamOf({ name, ...input }: z.output<typeof teamInput>): NewTeam {
  return {
    ...{ models: [], providers: [], budgets: [], rates: {} },
    ...limitsOf(input, { budgets: [], rates: {} }),
    id: name,
  }
}

export function teamChangeOf(input: z.output<typeof teamChange>, before: Before): Partial<NewTeam> {
  return limitsOf(input, before)
}

function limitsOf(
  input: Limits,
  before: Before,
): Partial<Pick<NewKey, 'models' | 'providers' | 'budgets' | 'rates'>> {
  const { rpm, tpm, concurrency } = input
  const rates = { ...cleared('rpm', rpm), ...cleared('tpm', tpm), ...cleared('concurrency', concurrency) }
  const budgets = budgetsOf(input, before.budgets)
  return {
    ...given('models', listed(input.models)),
    ...given('providers', listed(input.providers)),
    ...(budgets === undefined ? {} : { budgets }),
    ...(Object.keys(rates).length === 0 ? {} : { rates: { ...before.rates, ...rates } }),
  }
}

/** OpenRouter's single limit, and our budgets beside it. */
function budgetsOf(input: Limits, before: readonly BudgetRule[]): readonly BudgetRule[] | undefined {
  const { limit, limit_reset: reset } = input
  const budgets = listed(input.budgets)
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

function ruleOf(input: z.output<typeof budgetInput>, place: string): BudgetRule {
  if (!isZone(input.zone)) {
    throw new Failure('invalid_request', 'The zone is not an IANA time zone.', { param: `${place}.zone` })
  }
  return {
    name: input.name,
    limitNanoUsd: nanoOf(input.limit, `${place}.limit`),
    ...{ window: input.window, zone: input.zone, weekStart: input.week_start },
    ...{ models: input.models, providers: input.providers, isPerUser: input.per_user },
  }
}

function refuseTwins(rules: readonly BudgetRule[]): void {
  const ids = rules.map(ruleId)
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

/** Null empties the list. */
function listed<Value>(list: readonly Value[] | null | undefined): readonly Value[] | undefined {
  return list === null ? [] : list
}

/** Null removes the value. */
function cleared<Name extends string, Value>(name: Name, value: Value | null | undefined) {
  const kept = value ?? undefined
  return (value === undefined ? {} : { [name]: kept }) as Partial<Record<Name, Value | undefined>>
}
