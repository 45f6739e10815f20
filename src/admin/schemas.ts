import * as z from 'zod'

const usd = z.number().meta({ description: 'USD' })
const nano = z.int().meta({ description: 'The same in whole nano-USD' })
const moment = z.iso.datetime({ offset: true })
const name = z
  .string()
  .max(128)
  .refine((text) => !/\p{Cc}/u.test(text), 'no control characters are allowed')
/** Part of an address, where dots alone would mean another one. */
const teamName = name.min(1).refine((text) => !/^\.{1,2}$/.test(text), 'a name is not only dots')
const names = z.array(z.string().min(1).max(256))
const count = z.int().min(1).max(1_000_000_000)

export const limitResets = ['daily', 'weekly', 'monthly'] as const
export const windows = ['day', 'week', 'month', 'quarter', 'year', 'total'] as const

const limit = z.number().min(0).max(9_000_000)

export const budgetInput = z.strictObject({
  name: name.optional(),
  limit,
  window: z.enum(windows).default('month'),
  zone: z.string().default('UTC'),
  week_start: z.int().min(1).max(7).default(1),
  models: names.default([]),
  providers: names.default([]),
  per_user: z.boolean().default(false),
})

const limits = {
  limit: limit.nullable().optional(),
  limit_reset: z.enum(limitResets).nullable().optional(),
  budgets: z.array(budgetInput).nullable().optional(),
  models: names.nullable().optional(),
  providers: names.nullable().optional(),
  rpm: count.nullable().optional(),
  tpm: count.nullable().optional(),
  concurrency: count.nullable().optional(),
}

const keyLimits = {
  ...limits,
  team: name.nullable().optional(),
  owner: name.nullable().optional(),
  tags: names.nullable().optional(),
  strategy: z
    .enum(['fallback', 'first', 'weighted', 'cheapest', 'fastest', 'balanced', 'value'])
    .nullable()
    .optional(),
  expires_at: moment.nullable().optional(),
  disabled: z.boolean().optional(),
}

/** Fields that OpenRouter's clients send, and that have no effect here. Others are refused: one may be a misspelled limit. */
const withoutEffect = {
  creator_user_id: z.unknown().optional(),
  external: z.unknown().optional(),
  external_user: z.unknown().optional(),
  include_byok_in_limit: z.unknown().optional(),
  workspace_id: z.unknown().optional(),
}

export const keyInput = z.strictObject({
  name: name.min(1),
  kind: z.enum(['inference', 'management']).default('inference'),
  role: z.enum(['metrics', 'read', 'admin']).optional(),
  ...keyLimits,
  ...withoutEffect,
})

export const keyChange = z.strictObject({ name: name.min(1).optional(), ...keyLimits, ...withoutEffect })

/** Whether running calls end with what is revoked. */
export const aborting = z.object({ abort: z.enum(['true', 'false']).default('false') })

/** The `updated_at`, or else the `created_at`, of the state that a change is based on. Absent: any state. */
const unchangedSince = {
  unchanged_since: moment
    .optional()
    .meta({ description: 'Refuses with 409 `changed_meanwhile` where it was changed after this moment' }),
}

export const keyChanging = aborting.extend(unchangedSince)
export const teamChanging = z.object(unchangedSince)

export const rotation = z.strictObject({
  grace_until: moment.optional(),
  graceUntil: moment.optional(),
})

export const teamInput = z.strictObject({ name: teamName, ...limits })
export const teamChange = z.strictObject(limits)

export const budgetView = z.object({
  id: z.string(),
  title: z.string(),
  scope: z.enum(['gateway', 'team', 'key']),
  scope_id: z.string().nullable().meta({ description: 'The team, or the hash of the key' }),
  name: z.string().nullable(),
  limit_name: z.string().meta({ description: 'The `limit` of the calls that it refused' }),
  limit: usd,
  limit_nano_usd: nano,
  raised: usd.meta({ description: 'Of the limit, what was added for the window of now alone' }),
  raised_nano_usd: nano,
  spent: usd,
  spent_nano_usd: nano,
  held: usd,
  held_nano_usd: nano,
  uncertain: usd,
  uncertain_nano_usd: nano,
  remaining: usd,
  remaining_nano_usd: nano,
  window: z.enum(windows),
  window_id: z.string(),
  zone: z.string(),
  week_start: z.int().meta({ description: 'The day on which its weeks begin; 1 is Monday' }),
  resets_at: moment.nullable(),
  models: names,
  providers: names,
  per_user: z.boolean(),
})

const money = {
  limit: usd.nullable(),
  limit_nano_usd: nano.nullable(),
  limit_remaining: usd.nullable(),
  limit_remaining_nano_usd: nano.nullable(),
  limit_reset: z.string().nullable(),
  usage: usd,
  usage_nano_usd: nano,
  usage_daily: usd,
  usage_daily_nano_usd: nano,
  usage_weekly: usd,
  usage_weekly_nano_usd: nano,
  usage_monthly: usd,
  usage_monthly_nano_usd: nano,
  held: usd,
  held_nano_usd: nano,
  uncertain: usd,
  uncertain_nano_usd: nano,
  budgets: z.array(budgetView),
  rpm: count.nullable(),
  tpm: count.nullable(),
  concurrency: count.nullable(),
  models: names,
  providers: names,
}

/** More fields that OpenRouter's clients read. */
const asOpenRouter = {
  byok_usage: usd,
  byok_usage_daily: usd,
  byok_usage_weekly: usd,
  byok_usage_monthly: usd,
  include_byok_in_limit: z.boolean(),
  creator_user_id: z.string().nullable(),
  external_user: z.string().nullable(),
  workspace_id: z.string(),
}

export const keyView = z.object({
  hash: z.string(),
  label: z.string(),
  name: z.string(),
  kind: z.enum(['inference', 'management']),
  role: z.string().nullable(),
  team: z.string().nullable(),
  owner: z.string().nullable(),
  tags: names,
  strategy: z.string().nullable(),
  disabled: z.boolean(),
  managed_by: z.enum(['api', 'file']),
  expires_at: moment.nullable(),
  created_at: z.string(),
  updated_at: z.string().nullable(),
  last_used_at: moment.nullable(),
  ...money,
  ...asOpenRouter,
})

export const ownKeyView = keyView.extend({
  is_free_tier: z.boolean(),
  is_management_key: z.boolean(),
  is_provisioning_key: z.boolean(),
  allowed_data_regions: z.array(z.string()),
  organization_id: z.string().nullable(),
  free_model_daily_requests: z.object({ limit: z.int(), remaining: z.int(), used: z.int() }),
  rate_limit: z.object({ interval: z.string(), note: z.string(), requests: z.int() }),
})

export const teamView = z.object({
  id: z.string(),
  name: z.string(),
  managed_by: z.enum(['api', 'file']),
  keys: z.int(),
  created_at: z.string(),
  updated_at: z.string(),
  ...money,
})

export const deleted = z.object({ deleted: z.literal(true) })

export function data<Of extends z.ZodType>(of: Of) {
  return z.object({ data: of })
}
