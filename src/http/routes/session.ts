import type Router from '@koa/router'
import type { Context } from 'koa'
import { mayDo, type Principal, type Role } from '../../core/authenticate.ts'
import type { Gateway } from '../../core/gateway.ts'
import { Failure } from '../../core/model/failure.ts'
import type { JsonObject } from '../../core/model/json/json.ts'
import { sendJson } from '../call/answer/send.ts'
import type { BodyReader } from '../call/body.ts'
import {
  type ManagerParts,
  type ManagerSessions,
  managerOf,
  requireOwnPage,
  sessionCookie,
  sessionTokenOf,
} from '../call/manager.ts'
import { exampleModel } from './example-call.ts'

export type SessionParts = ManagerParts & {
  readonly sessions: ManagerSessions
  readonly readBody: BodyReader
  readonly version: string
  /** True if no upstream is configured, so that the simulator answers. */
  readonly demo: boolean
  readonly gateway: Pick<Gateway, 'models'>
}

/**
 * `/admin/api/session`: sign-in to the console with a management key, and sign-out. The cookie is valid only for the
 * management API; calls require an inference key.
 */
export function serveSession(router: Router, parts: SessionParts): void {
  router.get(path, async (ctx) => {
    reply(ctx, 200, bodyOf(await signedIn(ctx, parts), parts))
  })
  router.post(path, async (ctx) => {
    requireOwnPage(ctx.req)
    const { value } = (await parts.readBody(ctx)).json
    const { key } = value
    if (typeof key !== 'string' || key === '') {
      throw new Failure('invalid_request', 'Send the management key to sign in with.', { param: 'key' })
    }
    const manager = parts.gate.admitManager(key, 'read')
    const { token, expiresEpochMs } = await parts.sessions.open(key)
    const body = bodyOf(manager, parts)
    const expires = new Date(expiresEpochMs)
    reply(ctx, 201, { ...body, expires_at: expires.toISOString() }, cookieOf(ctx, token, expires))
  })
  router.delete(path, async (ctx) => {
    requireOwnPage(ctx.req)
    const token = sessionTokenOf(ctx.req)
    if (token !== undefined) await parts.sessions.close(token)
    reply(ctx, 200, bodyOf(undefined, parts), cookieOf(ctx, '', new Date(0)))
  })
}

const path = '/admin/api/session'

async function signedIn({ req }: Context, parts: SessionParts): Promise<Principal | undefined> {
  try {
    return await managerOf(req, parts, 'read')
  } catch (thrown) {
    if (thrown instanceof Failure && thrown.kind === 'unauthorized') return undefined
    throw thrown
  }
}

/** The body for a session. Visitors who are not signed in see nothing else. */
function bodyOf(manager: Principal | undefined, { version, demo, gate, gateway }: SessionParts): JsonObject {
  if (manager === undefined) return { signed_in: false }
  // Without management keys, everyone on this machine may read.
  const isOpen = manager.name === undefined
  return {
    ...{ signed_in: true, open: isOpen, role: isOpen ? 'read' : shownRole(manager.role) },
    ...{ name: manager.name ?? null, version, demo, calls_need_key: gate.asksForKeys() },
    // The console shows an example call.
    example_model: exampleModel(gateway.models()) ?? null,
  }
}

function shownRole(role: Role | undefined): Role {
  return mayDo(role, 'admin') ? 'admin' : 'read'
}

function cookieOf({ req }: Context, token: string, expires: Date): readonly string[] {
  const isEncrypted = 'encrypted' in req.socket || req.headers['x-forwarded-proto'] === 'https'
  const parts = [
    `${sessionCookie}=${token}`,
    `Expires=${expires.toUTCString()}`,
    ...['Path=/admin', 'HttpOnly', 'SameSite=Strict'],
    ...(isEncrypted ? ['Secure'] : []),
  ]
  return ['set-cookie', parts.join('; ')]
}

function reply(ctx: Context, status: number, body: JsonObject, headers: readonly string[] = []): void {
  ctx.respond = false
  sendJson(ctx.req, ctx.res, status, body, ['x-request-id', ctx.state['requestId'] as string, ...headers])
}
