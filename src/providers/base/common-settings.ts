import * as z from 'zod'
import { createQueue, type QueueSettings } from '../../core/health/queue.ts'
import type { Clocks } from '../../core/model/call.ts'
import type { Upstream } from '../../core/model/ports.ts'

/** The settings that every upstream over the network has: how long it may take, how often it is asked. */
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
    /** How many requests may be under way at once. */
    concurrency: z.int().min(1).max(10_000).default(128),
    /** How long a call may wait for one of them to end, and how many calls may. */
    queueMs: z.int().min(1).max(600_000).default(10_000),
    queueLimit: z.int().min(0).max(100_000).default(1000),
    /** When its caller leaves, a call is cancelled; or it is read to its end, to know exactly what it cost. */
    onAbort: z.enum(['cancel', 'drain']).default('cancel'),
    /** What an answer has not written when it is left, is not billed: budgets may then pay for it piece by piece. */
    billing: z.strictObject({ stopsOnAbort: z.boolean().default(false) }).prefault({}),
  }
}

/** The same, once the schema has taken them. */
export type Bounds = QueueSettings & {
  readonly clocks: Clocks
  readonly retries: number
  readonly retryDelayMs: number
  readonly onAbort?: 'cancel' | 'drain'
}

/** What every upstream over the network has by its settings: its clocks, its retries, and a queue of its own. */
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

/** A setting that is one for all kinds of calls. */
export function oneChoiceOf(isOne: boolean): Upstream['oneChoice'] {
  return { text: isOne, chat: isOne }
}

/** The address of an upstream: it comes from the configuration alone, and holds no credentials. */
export const addressSetting = z
  .url({ protocol: /^https?$/, abort: true })
  .refine((address) => {
    const { username, password, hash } = new URL(address)
    return username === '' && password === '' && hash === ''
  })
  .meta({ expected: 'a URL that starts with http:// or https://, without user, password and fragment' })

/** A key, or any other text that is told to an upstream alone. */
export const secretSetting = z
  .string()
  .regex(/^[\x21-\x7e]+$/)
  .meta({ secret: true, expected: 'printable ASCII without spaces' })

/** What gives an upstream its key, for operators. Only the one that goes by its type's name has a variable. */
export function keySettingOf(name: string, type?: string): string {
  return name === type ? `${type.toUpperCase()}_API_KEY` : `providers.${name}.apiKey`
}

const clockMs = z.int().min(1).max(86_400_000)
