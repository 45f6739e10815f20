import * as z from 'zod'

const dayMs = 86_400_000

const mebibyte = 1024 * 1024

/** `responses` of gateway.yaml: where the responses of `/v1/responses` are kept for callers who come back to them. */
export const responsesSetting = z
  .strictObject({
    /** `store`: with the ledger, where there is one; `memory`: until the process ends. */
    keep: z.enum(['store', 'memory']).default('store'),
    /** Since it was last used. */
    ttlMs: z
      .int()
      .min(1000)
      .max(366 * dayMs)
      .default(dayMs),
    maxEntries: z.int().min(1).max(10_000_000).default(10_000),
    maxBytes: z
      .int()
      .min(1)
      .max(1_048_576 * mebibyte)
      .default(128 * mebibyte),
  })
  .prefault({})
