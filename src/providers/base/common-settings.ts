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
    /** The maximum number of retries on the same deployment, and the minimum wait before each. */
    retries: z.int().min(0).max(10).default(1),
    retryDelayMs: z.int().min(0).max(60_000).default(200),
    /** The maximum number of requests in flight. */
    concurrency: z.int().min(1).max(10_000).default(128),
    /** The maximum wait for one of the `concurrency` places, and the maximum number of waiting calls. */
    queueMs: z.int().min(1).max(600_000).default(10_000),
    queueLimit: z.int().min(0).max(100_000).default(1000),
    /** After the caller disconnects: `cancel` the call, or `drain` it to its end so that its exact cost is known. */
    onAbort: z.enum(['cancel', 'drain']).default('cancel'),
    /**
     * True: the upstream does not bill tokens that it had not generated when a call was cancelled. Budgets may then
     * hold money in slices.
     */
    billing: z.strictObject({ stopsOnAbort: z.boolean().default(false) }).prefault({}),
  }
}

/** The validated settings. */
export type Bounds = QueueSettings & {
  readonly clocks: Clocks
  readonly retries: number
  readonly retryDelayMs: number
  readonly onAbort?: 'cancel' | 'drain'
}

/** The part of an Upstream that follows from these settings: clocks, retries, and its own queue. */
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

/** The same value for text completions and chats. */
export function oneChoiceOf(isOne: boolean): Upstream['oneChoice'] {
  return { text: isOne, chat: isOne }
}

/** The address of an upstream. It comes only from the configuration, and must not contain credentials. */
export const addressSetting = z
  .url({ protocol: /^https?$/, abort: true })
  .refine((address) => {
    const { username, password, hash } = new URL(address)
    return username === '' && password === '' && hash === ''
  })
  .meta({ expected: 'a URL that starts with http:// or https://, without user, password and fragment' })

/** A key, or other text that only the upstream may see. */
export const secretSetting = z
  .string()
  .regex(/^[\x21-\x7e]+$/)
  .meta({ secret: true, expected: 'printable ASCII without spaces' })

/**
 * The setting of an upstream's key, for messages to operators. Only a provider that is named like its type has an
 * environment variable.
 */
export function keySettingOf(name: string, type?: string): string {
  return name === type ? `${type.toUpperCase()}_API_KEY` : `providers.${name}.apiKey`
}

const clockMs = z.int().min(1).max(86_400_000)
