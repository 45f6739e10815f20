import * as z from 'zod'

const dayMs = 86_400_000

/** Whether, how often and how patiently providers are asked how they are doing. Off by default. */
export const probesSetting = z
  .strictObject({
    enabled: z.boolean().default(false),
    intervalMs: z.int().min(1).max(dayMs).default(30_000),
    timeoutMs: z.int().min(1).max(dayMs).default(5000),
  })
  .prefault({})
