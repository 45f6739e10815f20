import type { Attempt } from '../../src/core/ports.ts'

/** An attempt as the gateway hands it to a provider, with the controller of its signal. */
export function startAttempt(
  upstreamModel = 'some-model',
): Attempt & { readonly controller: AbortController } {
  const controller = new AbortController()
  return {
    upstreamModel,
    controller,
    signal: controller.signal,
    notes: {
      headersAt: undefined,
      upstreamStatus: undefined,
      upstreamRequestId: undefined,
      dropped: [],
      converted: [],
    },
  }
}
