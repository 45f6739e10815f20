import * as z from 'zod'

const dayMs = 86_400_000

/** `probes` of gateway.yaml: health requests to providers. Disabled by default. */
export const probesSetting = z
  .strictObject({
    enabled: z.boolean().default(false),
    intervalMs: z.int().min(1).max(dayMs).default(30_000),
    timeoutMs: z.int().min(1).max(dayMs).default(5000),
  })
  .prefault({})
