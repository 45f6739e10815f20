import type { Config } from '../config.ts'
import { createTracing, type Tracing, type TracingParts } from '../telemetry/traces/tracing.ts'

/** Opens the configured traces, to be closed with `opening`. Undefined: tracing is disabled. */
export async function openTracing(
  { tracing, tls }: Pick<Config, 'tracing' | 'tls'>,
  opening: AsyncDisposableStack,
  parts: TracingParts,
): Promise<Tracing | undefined> {
  const { enabled, endpoint } = tracing
  if (!enabled || endpoint === undefined) return undefined
  const scheme = tls === undefined ? 'http' : 'https'
  const opened = await createTracing({ ...tracing, endpoint, scheme }, parts)
  opening.defer(() => opened.close())
  return opened
}
