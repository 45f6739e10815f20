import type * as z from 'zod'
import type { Clock, Detokenizer, Upstream } from '../../core/model/ports.ts'

/**
 * A kind of upstream: the schema of its section in gateway.yaml, and how to create an Upstream from it. To add one,
 * write a file that exports one of these, and add its line to `all.ts`.
 */
export interface Provider<Settings = unknown> {
  /** The `type` that selects it in gateway.yaml. */
  readonly type: string
  /** Strict: an unknown key is refused. Secrets are marked with `.meta({ secret: true })`. */
  readonly settings: z.ZodType<Settings>
  create(name: string, settings: Settings, tools: ProviderTools): Upstream
  /** The provider whose shipped prices apply with these settings; undefined: none. Absent: that of its type. */
  priceList?(settings: Settings): string | undefined
}

export type ProviderTools = {
  readonly clock: Clock
  readonly detokenizer: Detokenizer
  /** Names this gateway to upstreams. */
  readonly userAgent: string
}
