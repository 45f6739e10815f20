import * as z from 'zod'
import { createQueue, type QueueSettings } from '../../core/health/queue.ts'
import type { Clocks } from '../../core/model/call.ts'
import type { Upstream } from '../../core/model/ports.ts'

/** The settings that every upstream over the network has: clocks, retries, concurrency. */
export function boundsSettings(clocks: Clocks) {
  return {
    clocks: z
      .strictObject({
        connectMs: clockMs.default(clocks.connectMs),
        firstTokenMs: clockMs.default(clocks.firstTokenMs),
        idleMs: clockMs.default(clocks.idleMs),
        totalMs: clockMs.default(clocks.totalMs),
      })
      .prefault({}),
    /** How often the same deployment is asked again, and the shortest wait before it is. */
    retries: z.int().min(0).max(10).default(1),
    retryDelayMs: z.int().min(0).max(60_000).default(200),
    /** How many requests may be in flight at once. */
    concurrency: z.int().min(1).max(10_000).default(128),
    /** How long a call may wait for a place, and how many calls may wait. */
    queueMs: z.int().min(1).max(600_000).default(10_000),
    queueLimit: z.int().min(0).max(100_000).default(1000),
    /** When its caller leaves, a call is cancelled, or read to its end so that its cost is known exactly. */
    onAbort: z.enum(['cancel', 'drain']).default('cancel'),
    /** Tokens that were not written when a call is cancelled are not billed: budgets may then pay slice by slice. */
    billing: z.strictObject({ stopsOnAbort: z.boolean().default(false) }).prefault({}),
  }
}

/** The same, as validated. */
export type Bounds = QueueSettings & {
  readonly clocks: Clocks
  readonly retries: number
  readonly retryDelayMs: number
  readonly onAbort?: 'cancel' | 'drain'
}

/** What every upstream over the network has by its settings: clocks, retries, and a queue of its own. */
export function upstreamBase(name: string, given: Bounds) {
  const { clocks, retries, retryDelayMs, onAbort, concurrency, queueMs, queueLimit } = given
  return {
    name,
    clocks,
    retry: { retries, delayMs: retryDelayMs },
    drains: onAbort === 'drain',
    queue: createQueue({ concurrency, queueMs, queueLimit }),
  } satisfies Partial<Upstream>
}

/** One value for all kinds of calls. */
export function oneChoiceOf(isOne: boolean): Upstream['oneChoice'] {
  return { text: isOne, chat: isOne }
}

/** The address of an upstream: it comes only from the configuration, and contains no credentials. */
export const addressSetting = z
  .url({ protocol: /^https?$/, abort: true })
  .refine((address) => {
    const { username, password, hash } = new URL(address)
    return username === '' && password === '' && hash === ''
  })
  .meta({ expected: 'a URL that starts with http:// or https://, without user, password and fragment' })

/** A key, or any other text that only the upstream may see. */
export const secretSetting = z
  .string()
  .regex(/^[\x21-\x7e]+$/)
  .meta({ secret: true, expected: 'printable ASCII without spaces' })

/** The setting of an upstream's key, for operators. Only a provider named like its type has an environment variable. */
export function keySettingOf(name: string, type?: string): string {
  return name === type ? `${type.toUpperCase()}_API_KEY` : `providers.${name}.apiKey`
}

const clockMs = z.int().min(1).max(86_400_000)
