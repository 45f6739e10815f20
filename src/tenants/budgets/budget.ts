import { matchesPattern } from '../../core/model/pattern.ts'
import { namePart, ownerPart } from './name-part.ts'
import type { Window, WindowRule } from './windows.ts'

/** A limit of money over a window, as declared. */
export type BudgetRule = WindowRule & {
  /** Undefined: it is named after its window and its target. */
  readonly name?: string | undefined
  readonly limitNanoUsd: number
  /** Patterns of the models it applies to. Empty: all. */
  readonly models: readonly string[]
  /** The providers it applies to. Empty: all. */
  readonly providers: readonly string[]
  /** Each end user has a budget of their own. */
  readonly isPerUser: boolean
}

/** The owner of the budget. */
export type Scope =
  | { readonly kind: 'gateway' }
  | { readonly kind: 'team'; readonly id: string }
  | { readonly kind: 'key'; readonly id: string; readonly name: string }

/** A budget as it applies to calls. */
export type Budget = {
  /** Identifies its counters. It stays the same if the limit or a key's secret changes. */
  readonly id: string
  readonly scope: Scope
  readonly rule: BudgetRule
}

export function budgetOf(scope: Scope, rule: BudgetRule): Budget {
  return { id: `${scopeId(scope)}/${ruleId(rule)}`, scope, rule }
}

/** Tells a budget from the others of its owner. */
export function ruleId(
  rule: Pick<BudgetRule, 'name' | 'window' | 'models' | 'providers' | 'isPerUser'>,
): string {
  return namePart(rule.name ?? ownName(rule))
}

/** The counter of a budget in a window, or of an end user's own budget. */
export function counterOf({ id }: Budget, { id: window }: Window, user?: string): string {
  return `${user === undefined ? id : `${id}~${user}`}|${window}`
}

/** How the counters of all end users begin and end. */
export function usersOf({ id }: Budget, { id: window }: Window): readonly [start: string, end: string] {
  return [`${id}~`, `|${window}`]
}

/** The end user that a counter is of, as records keep them. */
export function userIn(counter: string): string | undefined {
  const [, , user] = readCounter(counter).budget.split('~')
  return user === undefined ? undefined : decodeURIComponent(user)
}

export function counterText({ budget, window }: CounterName): string {
  return `${budget}|${window}`
}

export type CounterName = { readonly budget: string; readonly window: string }

export function readCounter(counter: string): CounterName {
  const at = counter.lastIndexOf('|')
  return { budget: counter.slice(0, at), window: counter.slice(at + 1) }
}

/** The name that people see: `research monthly`. */
export function titleOf({ scope, rule }: Budget): string {
  const owner = scope.kind === 'gateway' ? 'gateway' : scope.kind === 'team' ? scope.id : scope.name
  return `${owner} ${rule.name ?? (rule.models.length + rule.providers.length > 0 ? ownName(rule) : spans[rule.window])}`
}

const spans = {
  day: 'daily',
  week: 'weekly',
  month: 'monthly',
  quarter: 'quarterly',
  year: 'yearly',
  total: 'total',
} as const

/** Whether the budget applies to a call for this model. */
export function isOn({ rule: { models } }: Budget, model: string): boolean {
  return models.length === 0 || models.some((pattern) => matchesPattern(model, pattern))
}

/** A budget on a key as a whole, whose window is also used for usage. */
export function isWhole(rule: BudgetRule): boolean {
  const { models, providers, isPerUser, zone, window, weekStart } = rule
  const isUsual = zone === 'UTC' && (window !== 'week' || weekStart === 1)
  return models.length + providers.length === 0 && !isPerUser && isUsual
}

function scopeId(scope: Scope): string {
  return scope.kind === 'gateway' ? 'gateway' : `${scope.kind}:${ownerPart(scope.id)}`
}

function ownName({
  window,
  models,
  providers,
  isPerUser,
}: Pick<BudgetRule, 'window' | 'models' | 'providers' | 'isPerUser'>): string {
  const on = [...models, ...providers.map((provider) => `@${provider}`), ...(isPerUser ? ['user'] : [])]
  return on.length === 0 ? window : `${window}:${on.join('+')}`
}
