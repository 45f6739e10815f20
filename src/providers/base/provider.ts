import type * as z from 'zod'
import type { Clock, Detokenizer, Upstream } from '../../core/model/ports.ts'

/**
 * A kind of upstream: the schema of its section in gateway.yaml, and how to create an Upstream from it. To add one,
 * write a file that exports one of these, and add its line to `all.ts`.
 */
export interface Provider<Settings = unknown> {
  /** The value of `type` in gateway.yaml. */
  readonly type: string
  /** A strict object: unknown keys are errors. Mark secrets with `.meta({ secret: true })`. */
  readonly settings: z.ZodType<Settings>
  create(name: string, settings: Settings, tools: ProviderTools): Upstream
  /**
   * The name of the shipped price list that applies with these settings; undefined if none does. Without this method,
   * the list named like the type applies.
   */
  priceList?(settings: Settings): string | undefined
}

export type ProviderTools = {
  readonly clock: Clock
  readonly detokenizer: Detokenizer
  /** The `user-agent` header of requests to upstreams. */
  readonly userAgent: string
}
