import * as z from 'zod'
import { nanoUsd } from '../../core/model/price.ts'
import { ruleId } from '../../tenants/budgets/budget.ts'
import { isZone, windowKinds } from '../../tenants/budgets/windows.ts'
import { keyRoles } from '../../tenants/keys/key.ts'
import { strategyNames } from './models.ts'

const expected = 'at least 16 characters of printable ASCII, no spaces'

const secret = z
  .string()
  .regex(/^[\x21-\x7e]{16,}$/)
  .meta({ secret: true, expected })

const name = z
  .string()
  .regex(/^[\w][\w .:@/-]{0,127}$/)
  .meta({ expected: 'a name of at most 128 letters, digits, blanks and . : @ / _ -' })

const patterns = z.array(z.string().min(1).max(256)).default([])

const count = z.int().min(1).max(1_000_000_000).exactOptional()

const rates = { rpm: count, tpm: count, concurrency: count }

const amount = z
  .union([z.string(), z.number()])
  .refine(isAmount)
  .meta({ exactText: true, expected: 'USD as a decimal number of at least 0, with 9 decimals at most' })

const zone = z.string().refine(isZone).meta({ expected: 'an IANA time zone, such as UTC or Europe/Berlin' })

export const weekdays = [
  'monday',
  'tuesday',
  'wednesday',
  'thursday',
  'friday',
  'saturday',
  'sunday',
] as const

const budget = z.strictObject({
  name: name.exactOptional(),
  limitUsd: amount,
  window: z.enum(windowKinds).default('month'),
  zone: zone.exactOptional(),
  weekStart: z.enum(weekdays).exactOptional(),
  models: patterns,
  providers: patterns,
  perUser: z.boolean().default(false),
})

const budgetList = z
  .array(budget)
  .default([])
  .check(({ value, issues }) => {
    const ids = value.map(({ perUser: isPerUser, ...rule }) => ruleId({ ...rule, isPerUser }))
    for (const [at, id] of ids.entries()) {
      if (ids.indexOf(id) === at) continue
      const message = 'a name, window or target that differs from earlier budgets'
      issues.push({ code: 'custom', path: [at], input: value[at], message })
    }
  })

const day = z
  .union([z.iso.datetime({ offset: true }), z.iso.date()])
  .meta({ expected: 'a time such as 2027-01-01T00:00:00Z' })

const common = { name: name.exactOptional(), owner: name.exactOptional(), expiresAt: day.exactOptional() }

const keySection = z.strictObject({
  key: secret,
  ...common,
  team: name.exactOptional(),
  disabled: z.boolean().default(false),
  models: patterns,
  providers: patterns,
  budgets: budgetList,
  ...rates,
  tags: z.array(name).default([]),
  strategy: z.enum(strategyNames).exactOptional(),
})

const adminSection = z.strictObject({
  key: secret,
  ...common,
  role: z.enum(keyRoles).default('admin'),
  disabled: z.boolean().default(false),
})

/** `auth` of gateway.yaml: the keys of callers and managers. */
export const authSetting = z
  .strictObject({
    keys: z
      .array(z.union([secret, keySection]))
      .default([])
      .check(refuseDuplicates),
    adminKeys: z
      .array(z.union([secret, adminSection]))
      .default([])
      .check(refuseDuplicates),
    /** The value of ADMIN_KEY. */
    adminKey: secret.exactOptional(),
    acceptWider: z.boolean().default(false),
  })
  .check(({ value: { keys, adminKeys }, issues }) => {
    const callers = new Set(keys.map((key) => (typeof key === 'string' ? key : key.key)))
    for (const [index, one] of adminKeys.entries()) {
      if (!callers.has(typeof one === 'string' ? one : one.key)) continue
      issues.push({ code: 'custom', path: ['adminKeys', index], input: one, message: ownKey })
    }
  })
  .prefault({})

const ownKey = 'a key that is not in auth.keys'

/** `teams` of gateway.yaml, by name. */
export const teamsSetting = z
  .record(name, z.strictObject({ budgets: budgetList, models: patterns, providers: patterns, ...rates }))
  .default({})

/** `budgets` of gateway.yaml: how money is held, and the budgets of the whole gateway. */
export const budgetsSetting = z
  .strictObject({
    gateway: budgetList,
    zone: zone.default('UTC'),
    weekStart: z.enum(weekdays).default('monday'),
    assumedOutputTokens: z.int().min(1).max(10_000_000).default(4096),
    sliceTokens: z.int().min(16).max(1_000_000).default(1024),
    marginTokens: z.int().min(0).max(1_000_000).default(128),
    clamp: z.boolean().default(false),
    status: z.union([z.literal(429), z.literal(402), z.literal(403)]).default(429),
    users: z.enum(['hashed', 'plain', 'off']).default('hashed'),
  })
  .check(({ value: { sliceTokens, marginTokens }, issues }) => {
    if (marginTokens < sliceTokens) return
    issues.push({
      ...{ code: 'custom', path: ['marginTokens'], input: marginTokens },
      message: 'less than budgets.sliceTokens',
    })
  })
  .prefault({})

/** `rateLimits` of gateway.yaml: the limits of the whole gateway and of models. */
export const rateLimitsSetting = z
  .strictObject({
    ...rates,
    models: z.record(z.string().min(1).max(256), z.strictObject(rates)).default({}),
  })
  .prefault({})

/** `alerts` of gateway.yaml: notifications when a part of a budget is used. */
export const alertsSetting = z
  .strictObject({
    at: z.array(z.number().gt(0).max(1)).default([0.5, 0.75, 0.9, 1]),
    webhook: z
      .url({ protocol: /^https?$/ })
      .meta({ secret: true, expected: 'a URL that starts with http:// or https://' })
      .exactOptional(),
    secret: secret.exactOptional(),
  })
  .prefault({})

export type WrittenBudget = z.infer<typeof budget>
export type WrittenKey = z.infer<typeof keySection>
export type WrittenAdminKey = z.infer<typeof adminSection>

export type WrittenTenants = {
  readonly auth: z.infer<typeof authSetting>
  readonly teams: z.infer<typeof teamsSetting>
  readonly budgets: z.infer<typeof budgetsSetting>
  readonly rateLimits: z.infer<typeof rateLimitsSetting>
  readonly alerts: z.infer<typeof alertsSetting>
}

/** Refuses keys with the same name or secret, because they could not be distinguished. */
function refuseDuplicates({ value, issues }: z.core.ParsePayload<readonly (string | WrittenSecret)[]>): void {
  const seen = new Set<string>()
  for (const [at, one] of value.entries()) {
    const identifiers =
      typeof one === 'string' ? [one] : [one.key, ...(one.name === undefined ? [] : [`name ${one.name}`])]
    if (identifiers.some((mark) => seen.has(mark))) {
      issues.push({
        code: 'custom',
        path: [at],
        input: one,
        message: 'a name and a secret that differ from those of earlier keys',
      })
    }
    for (const mark of identifiers) seen.add(mark)
  }
}

type WrittenSecret = { readonly key: string; readonly name?: string | undefined }

function isAmount(value: string | number): boolean {
  try {
    nanoUsd(String(value))
    return true
  } catch (thrown) {
    if (thrown instanceof RangeError) return false
    throw thrown
  }
}
