import { isIP } from 'node:net'
import * as z from 'zod'
import type { Instance } from './instances.ts'

/**
 * The schema of gateway.yaml for the providers it names: the gateway's own sections, and each provider's
 * settings as the provider's own schema has them (without `type`, which has been looked at by then).
 */
export function configSchema(instances: readonly Instance[], providerNames: readonly string[]) {
  return z.strictObject({
    server: z
      .strictObject({
        host: z.string().refine(isHost).meta({ expected: hostExpected }).default('127.0.0.1'),
        port: z.int().min(0).max(65_535).default(8000),
        allowUnauthenticated: z.boolean().default(false),
      })
      .prefault({}),
    auth: z.strictObject({ keys: z.array(gatewayKey).default([]) }).prefault({}),
    log: z.strictObject({ level: z.enum(logLevels).default('info') }).prefault({}),
    slowThresholdMs: z.int().min(0).max(dayMs).default(1500),
    strict: z.boolean().default(false),
    limits: z
      .strictObject({
        bodyBytes: z
          .int()
          .min(1)
          .max(256 * mebibyte)
          .default(25 * mebibyte),
        jsonDepth: z.int().min(1).max(1000).default(64),
        deadlineMs: z.int().min(1).max(dayMs).default(600_000),
        attempts: z.int().min(1).max(20).exactOptional(),
        fanOut: z.int().min(1).max(256).default(8),
        choices: z.int().min(1).max(4096).default(256),
      })
      .prefault({}),
    providers: z.strictObject(Object.fromEntries(instances.map((one) => [one.name, one.provider.settings]))),
    models: z
      .record(modelName, route(providerNames))
      .refine((models) => Object.keys(models).length > 0)
      .meta({ expected: 'at least one model; without `models`, every model goes to pandotate' })
      .optional(),
  })
}

export type ConfigSchema = ReturnType<typeof configSchema>

export type LogLevel = (typeof logLevels)[number]

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const

const mebibyte = 1024 * 1024

const dayMs = 86_400_000

const hostExpected = 'a host name or an IP address, such as 127.0.0.1'

const gatewayKey = z
  .string()
  .regex(/^[\x21-\x7e]{16,}$/)
  .meta({ secret: true, expected: 'at least 16 characters of printable ASCII, no spaces' })

const clockMs = z.int().min(1).max(dayMs).exactOptional()

// biome-ignore lint/suspicious/noControlCharactersInRegex: it is there to keep them out of headers and logs.
const modelText = /^(?! )[^\x00-\x1f\x7f]{1,256}(?<! )$/

const modelName = z
  .string()
  .regex(modelText)
  .meta({ expected: 'the name of a model, or a pattern with *, of at most 256 characters' })

const upstreamName = z
  .string()
  .regex(modelText)
  .meta({ expected: 'the name of a model at that provider, of at most 256 characters' })

function route(providerNames: readonly string[]) {
  const deployment = z.strictObject({
    provider: z.enum(providerNames),
    model: upstreamName.exactOptional(),
    clocks: z
      .strictObject({ connectMs: clockMs, firstTokenMs: clockMs, idleMs: clockMs, totalMs: clockMs })
      .exactOptional(),
    retries: z.int().min(0).max(10).exactOptional(),
    retryDelayMs: z.int().min(0).max(60_000).exactOptional(),
  })
  return z.strictObject({
    route: z.enum(['fallback', 'first']).default('fallback'),
    deployments: z.array(deployment).min(1),
  })
}

function isHost(text: string): boolean {
  return isIP(text) !== 0 || /^[a-z0-9_]([a-z0-9_.-]{0,252}[a-z0-9_])?$/i.test(text)
}
