import { matchesPattern } from '../core/model/pattern.ts'
import type { CallTenant, Entering, Entrance, Payer, Paying, Preview, Tenant } from '../core/model/tenant.ts'
import type { TenantNote } from '../core/model/terms.ts'
import { Bill } from './budgets/bill.ts'
import { type Budget, budgetOf, counterOf, isOn, type Scope } from './budgets/budget.ts'
import { Quote } from './budgets/quote.ts'
import type { Applied, Desk } from './desk.ts'
import type { Key, Team } from './keys/key.ts'
import { type Entered, enter, modelOwners, type RateOwner, rateSetOf } from './rates.ts'
import type { TenantSettings } from './settings.ts'
import type { Users } from './users.ts'

/** Running calls: what each has taken of limits and holds on budgets. */
export type OpenCall = { bill: Bill | undefined; entered: Entered | undefined }

export type AccessParts = {
  /** Undefined: calls without a key, if the gateway as a whole has budgets or limits. */
  readonly key: Key | undefined
  readonly team: Team | undefined
  readonly settings: TenantSettings
  readonly desk: Desk
  readonly users: Users
  /** Where a call's access is kept until its record is written. */
  readonly opened: (callId: string) => OpenCall
}

/** What one key allows. Built once for all of its calls. */
export class Access implements Tenant {
  readonly note: TenantNote
  readonly key: Key | undefined
  readonly budgets: readonly Budget[]
  readonly #parts: AccessParts
  readonly #owners: readonly RateOwner[]
  /** The open window of each budget, and its counter there: the same text for call after call is found faster. */
  readonly #open: OpenWindow[] = []
  /** Restricts where calls can go. */
  readonly #isBound: boolean

  constructor(parts: AccessParts) {
    const { key, team, settings } = parts
    this.#parts = parts
    this.key = key
    this.note = {
      key: key?.id,
      keyName: key?.name,
      team: key?.team,
      tags: key?.tags ?? [],
    }
    this.#isBound =
      key?.strategy !== undefined ||
      [key, team].some((one) => one !== undefined && one.providers.length + one.models.length > 0)
    this.budgets = budgetsOf(key, team, settings)
    this.#owners = [
      { id: 'gateway', name: 'the gateway', rule: settings.rates },
      ...(team === undefined ? [] : [{ id: `team:${team.id}`, name: `team ${team.id}`, rule: team.rates }]),
      ...(key === undefined
        ? []
        : [{ id: `key:${key.id}`, name: `key ${key.name || key.label}`, rule: key.rates }]),
    ].filter(({ rule }) => isLimit(rule))
  }

  allowsModel(model: string): boolean {
    const { key, team } = this.#parts
    return fits(model, key?.models) && fits(model, team?.models)
  }

  userOf(user: string | undefined): string | undefined {
    return this.#parts.users.kept(user)
  }

  enter({ callId, model, tokens: estimate }: Entering): Promise<Entrance> | undefined {
    const { settings, desk, opened } = this.#parts
    const ofModel = settings.modelRates.length === 0 ? [] : modelOwners(settings.modelRates, model)
    if (this.#owners.length + ofModel.length === 0) return undefined
    const set = rateSetOf([...this.#owners, ...ofModel])
    const entered = { callId, set, tokens: set.tokens.length === 0 ? 0 : estimate() }
    return enter(entered, desk).then((entrance) => {
      if (entrance.refusal === undefined) opened(callId).entered = entered
      return entrance
    })
  }

  callTenant(ask: Paying): CallTenant | undefined {
    return this.#paidBy(this.#payer(ask))
  }

  preview({ model, user }: Paying): Preview {
    const { users, desk } = this.#parts
    const applied = this.#applied(model, user, users.known)
    const quote = applied.length === 0 ? undefined : new Quote(applied, desk)
    return {
      callTenant: this.#paidBy(quote),
      budgets: (failure) => quote?.standings(failure) ?? [],
    }
  }

  #paidBy(payer: Payer | undefined): CallTenant | undefined {
    if (payer === undefined && !this.#isBound) return undefined
    return {
      allowsModel: this.#allowsModel,
      allowsProvider: this.#allowsProvider,
      strategy: this.#parts.key?.strategy,
      payer,
    }
  }

  #payer({ callId, model, user }: Paying): Payer | undefined {
    const { users, desk, opened } = this.#parts
    const applied = this.#applied(model, user, users.counted)
    if (applied.length === 0) return undefined
    const bill = new Bill(callId, applied, desk)
    opened(callId).bill = bill
    return bill
  }

  readonly #allowsModel = (model: string): boolean => this.allowsModel(model)

  readonly #allowsProvider = (provider: string): boolean => {
    const { key, team } = this.#parts
    return includes(key?.providers, provider) && includes(team?.providers, provider)
  }

  #applied(model: string, user: string | undefined, nameOf: Users['counted']): readonly Applied[] {
    const { desk } = this.#parts
    const now = desk.clock.epochMs()
    const applied: Applied[] = []
    for (const [at, budget] of this.budgets.entries()) {
      if (!isOn(budget, model)) continue
      const { window, counter } = this.#openWindow(at, budget, now)
      if (!budget.rule.isPerUser) applied.push(appliedIn(budget, window, counter, desk))
      else if (user !== undefined) {
        const name = nameOf(this.note.team ?? this.note.key, user, window.endMs)
        const ofUser = counterOf(budget, window, name)
        // What is added to the budget is added for each user.
        applied.push({ ...appliedIn(budget, window, counter, desk), counter: ofUser })
      }
    }
    return applied
  }

  #openWindow(at: number, budget: Budget, now: number): OpenWindow {
    const { windows } = this.#parts.desk
    const known = this.#open[at]
    // A call of another key may have opened a newer one, before the clock stepped back.
    if (known !== undefined && known.openings === windows.openings && now < known.window.endMs) return known
    const window = windows.current(budget.rule)
    const opened = { window, counter: counterOf(budget, window), openings: windows.openings }
    this.#open[at] = opened
    return opened
  }
}

type OpenWindow = Pick<Applied, 'window' | 'counter'> & { readonly openings: number }

/** Everything that applies to calls of a key, whatever the model: its own rules, its team's and the gateway's. */
export function budgetsOf(
  key: Key | undefined,
  team: Team | undefined,
  { budgets }: Pick<TenantSettings, 'budgets'>,
): readonly Budget[] {
  const scopes: readonly (readonly [Scope, Key['budgets']])[] = [
    ...(key === undefined
      ? []
      : ([[{ kind: 'key', id: key.id, name: key.name || key.label }, key.budgets]] as const)),
    ...(team === undefined ? [] : ([[{ kind: 'team', id: team.id }, team.budgets]] as const)),
    [{ kind: 'gateway' }, budgets],
  ]
  return scopes.flatMap(([scope, rules]) => rules.map((rule) => budgetOf(scope, rule)))
}

export function appliedIn(
  budget: Budget,
  window: Applied['window'],
  counter: string,
  { override }: Desk,
): Applied {
  return { budget, window, counter, limitNanoUsd: budget.rule.limitNanoUsd + override(counter) }
}

function isLimit({ rpm, tpm, concurrency }: Key['rates']): boolean {
  return rpm !== undefined || tpm !== undefined || concurrency !== undefined
}

function fits(model: string, patterns: readonly string[] = []): boolean {
  return patterns.length === 0 || patterns.some((pattern) => matchesPattern(model, pattern))
}

function includes(names: readonly string[] = [], name: string): boolean {
  return names.length === 0 || names.includes(name)
}
