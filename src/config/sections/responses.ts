import * as z from 'zod'

const dayMs = 86_400_000

const mebibyte = 1024 * 1024

/** `responses` of gateway.yaml: the storage of responses of `/v1/responses` for later requests. */
export const responsesSetting = z
  .strictObject({
    /** `store`: in the ledger's store, if there is one. `memory`: until the process ends. */
    keep: z.enum(['store', 'memory']).default('store'),
    /** The lifetime since the last use. */
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
