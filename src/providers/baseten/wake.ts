import type { Bounds } from '../base/common-settings.ts'
import type { ProviderTools } from '../base/provider.ts'
import { readHttpError } from '../http-error/http-error.ts'
import { outsideCalls } from '../openai/probe-requests.ts'
import { createWire, requestHeaders } from '../wire/wire.ts'

/** Wakes a sleeping deployment. It has its own connection, because waiting calls may occupy all others. */
export interface Waker {
  /** Resolves when Baseten has accepted the request (202), long before the deployment is up. Rejects with a Failure. */
  wake(signal: AbortSignal): Promise<void>
  close(): Promise<void>
}

export type WakerParts = {
  readonly origin: string
  readonly wakePath: string
  readonly scheme: string
}

/** Opens no connection yet. */
export function createWaker(
  name: string,
  { apiKey, clocks }: Bounds & { readonly apiKey?: string | undefined },
  { origin, wakePath, scheme }: WakerParts,
  { clock, userAgent }: ProviderTools,
): Waker {
  const wire = createWire({ name, origin, connectMs: clocks.connectMs, connections: 1, clock })
  const headers = requestHeaders(userAgent, apiKey === undefined ? undefined : `${scheme} ${apiKey}`)
  return {
    async wake(signal) {
      const answer = await wire.post(wakePath, headers, '{}', outsideCalls(`${name}-wake`, signal))
      if (answer.status >= 200 && answer.status < 300) {
        answer.discard()
        return
      }
      throw await readHttpError(answer, {
        provider: name,
        model: name,
        key: apiKey === undefined ? 'none' : 'ours',
        keySetting: `providers.${name}.apiKey`,
        secrets: apiKey === undefined ? [] : [apiKey],
        epochMs: clock.epochMs(),
      })
    },
    close: () => wire.close(),
  }
}
