import * as z from 'zod'

const dayMs = 86_400_000

const mebibyte = 1024 * 1024

/** `idempotency` of gateway.yaml: the storage of answers to requests with an Idempotency-Key. */
export const idempotencySetting = z
  .strictObject({
    enabled: z.boolean().default(true),
    ttlMs: z.int().min(1).max(dayMs).default(600_000),
    maxEntries: z.int().min(1).max(1_000_000).default(1000),
    maxBytes: z
      .int()
      .min(1)
      .max(65_536 * mebibyte)
      .default(64 * mebibyte),
  })
  .prefault({})
