import type Router from '@koa/router'
import { controllerUnder } from '../../core/model/call-signal.ts'
import { sendJson } from '../call/answer/send.ts'
import { type ManagerParts, managerOf } from '../call/manager.ts'
import type { OpenCalls } from '../call/open-calls.ts'

export type WakeParts = ManagerParts & {
  readonly waker: Waker
  readonly openCalls: OpenCalls
}

export interface Waker {
  /**
   * Has a deployment that sleeps start; resolves with its provider's name once that was told to. Rejects with a
   * Failure: `not_found` for an id that is none, `not_implemented` where there is nothing to wake, or the upstream's.
   */
  wake(deploymentId: string, signal: AbortSignal): Promise<{ readonly provider: string }>
}

/**
 * `POST /admin/api/deployments/{id}/wake`, whose id may hold slashes, encoded or not: 202 when the deployment was told
 * to start, long before it has. Asks for a management key, where keys are configured.
 */
export function serveWake(router: Router, parts: WakeParts): void {
  const { waker, openCalls } = parts
  router.post(`${before}*id${after}`, async (ctx) => {
    await managerOf(ctx.req, parts, 'admin')
    const id = decoded(ctx.path.slice(before.length, -after.length))
    const { provider } = await waker.wake(id, controllerUnder(openCalls.open(ctx.res)).signal)
    ctx.respond = false
    const headers = ['x-request-id', ctx.state['requestId'] as string]
    sendJson(ctx.req, ctx.res, 202, { id, provider, woken: true }, headers)
  })
}

const before = '/admin/api/deployments/'
const after = '/wake'

/** Decoded once; as it stands where it cannot be. */
function decoded(id: string): string {
  try {
    return decodeURIComponent(id)
  } catch {
    return id
  }
}
