import { nanoUsd } from '../core/model/price.ts'
import type { BudgetRule } from '../tenants/budgets/budget.ts'
import { digestOf, type Key, type KeyRole, labelOf, type Team } from '../tenants/keys/key.ts'
import type { TenantSettings } from '../tenants/settings.ts'
import {
  type WrittenAdminKey,
  type WrittenBudget,
  type WrittenKey,
  type WrittenTenants,
  weekdays,
} from './sections/tenants.ts'

/** The tenants' part of the configuration, from these sections. */
export function tenancyOf(written: WrittenTenants): Tenancy {
  const { auth } = written
  return { ...secretsOf(auth), tenants: tenantsOf(written), acceptWider: auth.acceptWider }
}

export type Tenancy = Secrets & {
  readonly tenants: TenantSettings
  readonly acceptWider: boolean
}

type Secrets = {
  readonly keys: readonly string[]
  readonly adminKeys: readonly { readonly key: string; readonly role: KeyRole }[]
}

/** The secrets of all keys. If there are any, authentication is required. */
export function secretsOf({ keys, adminKeys, adminKey }: WrittenTenants['auth']): Secrets {
  return {
    keys: keys.map((key) => (typeof key === 'string' ? key : key.key)),
    adminKeys: [
      ...adminKeys.map((key) => (typeof key === 'string' ? { key, role: 'admin' as const } : key)),
      ...(adminKey === undefined ? [] : [{ key: adminKey, role: 'admin' as const }]),
    ].map(({ key, role }) => ({ key, role })),
  }
}

/** A key with only a secret. */
export function plainKey(key: string): Key {
  return callerKey({ ...bareKey, key }, () => [])
}

/** The same for a management key. */
export function plainAdminKey(key: string, role: KeyRole): Key {
  return adminKey({ ...bareAdmin, key, role })
}

/** Secrets as digests, amounts in whole nano-USD, and budgets with the defaults of `budgets`. */
function tenantsOf({ auth, teams, budgets, rateLimits, alerts }: WrittenTenants): TenantSettings {
  const { gateway, zone: zoneOfAll, weekStart, ...terms } = budgets
  const rulesOf = (written: readonly WrittenBudget[]) =>
    written.map((one) => ruleOf(one, { zone: zoneOfAll, weekStart }))
  const keys = [
    ...auth.keys.map((key) => callerKey(typeof key === 'string' ? { ...bareKey, key } : key, rulesOf)),
    ...auth.adminKeys.map((key) => adminKey(typeof key === 'string' ? { ...bareAdmin, key } : key)),
    ...(auth.adminKey === undefined
      ? []
      : [adminKey({ ...bareAdmin, key: auth.adminKey, name: 'ADMIN_KEY' })]),
  ]
  const named = new Set([...Object.keys(teams), ...keys.flatMap(({ team }) => team ?? [])])
  const { models, ...ofAll } = rateLimits
  return {
    keys,
    teams: Array.from(named, (id) => teamOf(id, teams[id], rulesOf)),
    budgets: rulesOf(gateway),
    rates: ofAll,
    modelRates: Object.entries(models).map(([pattern, rate]) => ({ pattern, ...rate })),
    terms,
    alerts: { webhook: undefined, secret: undefined, ...alerts, at: alerts.at.toSorted((a, b) => a - b) },
  }
}

type RulesOf = (written: readonly WrittenBudget[]) => readonly BudgetRule[]

const bareKey = { disabled: false, models: [], providers: [], budgets: [], tags: [] }
const bareAdmin = { role: 'admin', disabled: false } as const

function callerKey(written: WrittenKey, ruled: RulesOf): Key {
  const { rpm, tpm, concurrency } = written
  return {
    ...identityOf(written),
    kind: 'inference',
    team: written.team,
    models: written.models,
    providers: written.providers,
    budgets: ruled(written.budgets),
    rates: { rpm, tpm, concurrency },
    tags: written.tags,
    strategy: written.strategy,
  }
}

function adminKey(written: WrittenAdminKey): Key {
  return {
    ...identityOf(written),
    kind: 'management',
    role: written.role,
    ...{ models: [], providers: [], budgets: [], rates: {}, tags: [] },
  }
}

type Identity = 'id' | 'name' | 'label' | 'owner' | 'expiresAtMs' | 'isDisabled' | 'secrets'

/** The identity of a key. That of a named key does not change with its secret. */
function identityOf(
  written: Pick<WrittenKey, 'key' | 'name' | 'owner' | 'expiresAt' | 'disabled'>,
): Pick<Key, Identity | 'createdAtMs' | 'updatedAtMs'> {
  const { key, name: given, owner, expiresAt, disabled } = written
  const digest = digestOf(key)
  return {
    id: given === undefined ? digest : digestOf(`file:${given}`),
    name: given ?? '',
    label: labelOf(key),
    owner,
    expiresAtMs: expiresAt === undefined ? undefined : Date.parse(expiresAt),
    isDisabled: disabled,
    secrets: [{ digest }],
    ...{ createdAtMs: 0, updatedAtMs: 0 },
  }
}

function teamOf(id: string, written: WrittenTenants['teams'][string] | undefined, ruled: RulesOf): Team {
  const { rpm, tpm, concurrency } = written ?? {}
  return {
    id,
    budgets: ruled(written?.budgets ?? []),
    rates: { rpm, tpm, concurrency },
    models: written?.models ?? [],
    providers: written?.providers ?? [],
    ...{ createdAtMs: 0, updatedAtMs: 0 },
  }
}

function ruleOf(
  written: WrittenBudget,
  usual: { readonly zone: string; readonly weekStart: (typeof weekdays)[number] },
): BudgetRule {
  return {
    name: written.name,
    limitNanoUsd: nanoUsd(String(written.limitUsd)),
    window: written.window,
    zone: written.zone ?? usual.zone,
    weekStart: weekdays.indexOf(written.weekStart ?? usual.weekStart) + 1,
    models: written.models,
    providers: written.providers,
    isPerUser: written.perUser,
  }
}
