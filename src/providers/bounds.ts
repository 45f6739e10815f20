import * as z from 'zod'
import type { Clocks, Retry } from '../core/model.ts'

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
  }
}

/** The same, once the schema has taken them. */
export type Bounds = {
  readonly clocks: Clocks
  readonly retries: number
  readonly retryDelayMs: number
  readonly concurrency: number
}

export function retryOf({ retries, retryDelayMs }: Bounds): Retry {
  return { retries, delayMs: retryDelayMs }
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

const clockMs = z.int().min(1).max(86_400_000)
