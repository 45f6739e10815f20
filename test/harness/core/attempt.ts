import type { Attempt } from '../../../src/core/model/ports.ts'

/** An attempt as the gateway hands it to a provider, with the controller of its signal. */
export function startAttempt(
  upstreamModel = 'some-model',
): Attempt & { readonly controller: AbortController; readonly signal: AbortSignal } {
  const controller = new AbortController()
  return {
    id: 'req_0-0',
    upstreamModel,
    controller,
    signal: controller.signal,
    notes: {
      headersAt: undefined,
      upstreamStatus: undefined,
      upstreamRequestId: undefined,
      billedMs: undefined,
      dropped: [],
      converted: [],
    },
  }
}
