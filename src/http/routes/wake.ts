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
   * Starts a sleeping deployment. Resolves with its provider's name when the request was accepted. Rejects with a
   * Failure: `not_found` for an unknown id, `not_implemented` if the deployment cannot be woken, or the upstream's.
   */
  wake(deploymentId: string, signal: AbortSignal): Promise<{ readonly provider: string }>
}

/**
 * `POST /admin/api/deployments/{id}/wake`. Slashes in the id may be encoded or not. Answers 202 when the start was
 * requested, long before the deployment is up. Requires a management key, if keys are configured.
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

/** The decoded id; unchanged if it cannot be decoded. */
function decoded(id: string): string {
  try {
    return decodeURIComponent(id)
  } catch {
    return id
  }
}
