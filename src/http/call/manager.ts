import type { IncomingMessage } from 'node:http'
import type { Authenticator, Principal, Role } from '../../core/authenticate.ts'
import { Failure } from '../../core/model/failure.ts'
import { apiKeyOf } from './api-key.ts'

export type ManagerParts = {
  readonly gate: Authenticator
  /** Undefined: the console is disabled. */
  readonly sessions?: ManagerSessions | undefined
}

/** The sessions of the console. */
export interface ManagerSessions {
  open(secret: string): Promise<{ readonly token: string; readonly expiresEpochMs: number }>
  /** Returns the digest of the secret that opened the session; undefined if it has ended or never existed. */
  find(token: string): Promise<string | undefined>
  close(token: string): Promise<void>
}

/**
 * Authenticates a manager by the request's key, or else by its session. Rejects with `unauthorized`, or with
 * `forbidden` if the role is too low.
 */
export async function managerOf(
  request: IncomingMessage,
  { gate, sessions }: ManagerParts,
  role: Role,
): Promise<Principal> {
  const bearer = apiKeyOf(request)
  const token = bearer === undefined && sessions !== undefined ? sessionTokenOf(request) : undefined
  if (token === undefined) return gate.admitManager(bearer, role)
  if (!harmless.has(request.method ?? '')) requireOwnPage(request)
  const digest = await sessions?.find(token)
  if (digest !== undefined) return gate.admitSession(digest, role)
  return openOrOver(gate, role)
}

/** Ignores an expired session if no key is required. */
function openOrOver(gate: Authenticator, role: Role): Principal {
  try {
    return gate.admitManager(undefined, role)
  } catch (cause) {
    throw new Failure('unauthorized', 'This session has ended: sign in again.', {
      code: 'session_over',
      cause,
    })
  }
}

/** The value of the session cookie. */
export function sessionTokenOf({ headers }: IncomingMessage): string | undefined {
  return /(?:^|;\s*)pandotate_console=([\w-]{43})(?:;|$)/.exec(headers.cookie ?? '')?.[1]
}

export const sessionCookie = 'pandotate_console'

/**
 * Requires that a change comes from the console. The browser sends the cookie with requests of any page of this site,
 * but only the console's origin is the gateway's, and only it can set this header.
 */
export function requireOwnPage({ headers }: IncomingMessage): void {
  const { origin, host } = headers
  const isOwn = origin === undefined || (URL.canParse(origin) && new URL(origin).host === host?.toLowerCase())
  if (isOwn && headers['x-pandotate-console'] === '1') return
  throw new Failure(
    'forbidden',
    'A session is valid only for pages of the console. Send a management key instead.',
    {
      code: 'origin_not_allowed',
    },
  )
}

const harmless: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])
