import * as z from 'zod'
import type { Catalog } from '../catalog/catalog.ts'
import { catalogSetting, routesSetting } from './sections/catalog.ts'
import { corsSetting } from './sections/cors.ts'
import { idempotencySetting } from './sections/idempotency.ts'
import type { Instance } from './sections/instances.ts'
import { ledgerSetting } from './sections/ledger.ts'
import { breakerSetting, hedgingSetting, limitsSetting } from './sections/limits.ts'
import { modelsSetting } from './sections/models.ts'
import { probesSetting } from './sections/probes.ts'
import { responsesSetting } from './sections/responses.ts'
import { serverSetting } from './sections/server.ts'
import { sharedSetting } from './sections/shared.ts'
import {
  alertsSetting,
  authSetting,
  budgetsSetting,
  rateLimitsSetting,
  teamsSetting,
} from './sections/tenants.ts'
import { tracingSetting } from './sections/tracing.ts'
import { dataDirectorySetting } from './source/data-directory.ts'

/**
 * The schema of gateway.yaml for the configured providers: the gateway's own sections, and each provider's settings by
 * its own schema (without `type`, which was already read). `catalog` has the hardware that prices may name.
 */
export function configSchema(
  instances: readonly Instance[],
  providerNames: readonly string[],
  catalog: Pick<Catalog, 'hardware'>,
) {
  const types = new Map(instances.map(({ name, provider }) => [name, provider.type]))
  return z.strictObject({
    server: serverSetting,
    auth: authSetting,
    teams: teamsSetting,
    budgets: budgetsSetting,
    rateLimits: rateLimitsSetting,
    alerts: alertsSetting,
    cors: corsSetting,
    log: z
      .strictObject({
        level: z.enum(logLevels).default('info'),
        format: z.enum(['json', 'pretty']).exactOptional(),
      })
      .prefault({}),
    slowThresholdMs: z.int().min(0).max(dayMs).default(1500),
    strict: z.boolean().default(false),
    answerModel: z.enum(['requested', 'upstream']).default('requested'),
    limits: limitsSetting,
    cache: z
      .strictObject({
        enabled: z.boolean().default(false),
        ttlMs: z.int().min(1).max(dayMs).default(300_000),
        maxEntries: z.int().min(1).max(1_000_000).default(1000),
        maxBytes: z
          .int()
          .min(1)
          .max(65_536 * mebibyte)
          .default(64 * mebibyte),
        everyCall: z.boolean().default(false),
      })
      .prefault({}),
    drain: z
      .strictObject({
        delayMs: z.int().min(0).max(dayMs).exactOptional(),
        graceMs: z.int().min(0).max(dayMs).default(25_000),
      })
      .prefault({}),
    hedging: hedgingSetting,
    breaker: breakerSetting,
    coalesce: z.boolean().default(false),
    idempotency: idempotencySetting,
    responses: responsesSetting,
    stickiness: z.boolean().default(true),
    catalog: catalogSetting,
    routes: routesSetting,
    dataDirectory: dataDirectorySetting,
    ledger: ledgerSetting,
    console: z.strictObject({ enabled: z.boolean().default(true) }).prefault({}),
    shared: sharedSetting,
    probes: probesSetting,
    tracing: tracingSetting,
    providers: z.strictObject(Object.fromEntries(instances.map((one) => [one.name, one.provider.settings]))),
    models: modelsSetting(providerNames, (name) => types.get(name), catalog).optional(),
  })
}

export type ConfigSchema = ReturnType<typeof configSchema>

export type LogLevel = (typeof logLevels)[number]

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const

const mebibyte = 1024 * 1024

const dayMs = 86_400_000
