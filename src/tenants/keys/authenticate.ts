import { Failure } from '../../core/model/failure.ts'
import type { Tenant } from '../../core/model/tenant.ts'
import { digestOf, type Key, type KeyRole, keyRoles } from './key.ts'
import type { Registry } from './registry.ts'

/** The caller as `core/authenticate` defines it, and what the key allows. */
export type Caller = {
  /** Identifies the tenant. Appears in no log and no answer. */
  readonly id: string
  readonly kind: Key['kind']
  readonly role: KeyRole | undefined
  /** A short fingerprint of the key for logs. Undefined if no key is required. */
  readonly name: string | undefined
  /** The bearer token, if it is the caller's own and not a key of this gateway: some upstreams accept it. */
  readonly credential: string | undefined
  /** Undefined: nothing is counted or limited. */
  readonly tenant?: Tenant | undefined
}

export type CallersPolicy = {
  /** Callers are let in even if there are no keys for calls. */
  readonly allowUnauthenticated: boolean
  /** Other machines can reach the gateway, so management always requires a key. */
  readonly isReachable: boolean
}

/** Once a key has existed, authentication stays on: only an explicit setting lets callers in without one. */
export function admit(
  bearer: string | undefined,
  registry: Registry,
  { allowUnauthenticated }: CallersPolicy,
  now: number,
): { readonly caller: Caller; readonly key: Key | undefined } {
  const isOpen = !registry.hasCallers && (allowUnauthenticated || !registry.hadKeys)
  if (bearer === undefined) {
    if (isOpen) return { caller: anyone, key: undefined }
    throw new Failure('unauthorized', untold, { code: null })
  }
  const digest = digestOf(bearer)
  const key = usable(digest, registry, now)
  if (key?.kind === 'management') throw new Failure('unauthorized', notForWork)
  if (key === undefined) {
    if (!isOpen) throw new Failure('unauthorized', 'Incorrect API key provided.')
    return { caller: { ...anyone, id: `bearer:${digest}`, credential: bearer }, key: undefined }
  }
  if (key.team !== undefined && registry.team(key.team) === undefined) {
    throw new Failure('unauthorized', 'This API key belongs to a team that no longer exists.')
  }
  return { caller: callerOf(key), key }
}

/** No key is required as long as no key of any kind has existed and only this machine can connect. */
export function manage(
  bearer: string | undefined,
  needs: KeyRole,
  registry: Registry,
  { isReachable }: Pick<CallersPolicy, 'isReachable'>,
  now: number,
): { readonly caller: Caller; readonly key: Key | undefined } {
  if (!registry.hadKeys && !isReachable) return { caller: anyManager, key: undefined }
  if (bearer === undefined) throw new Failure('unauthorized', `${needed} ${place}`, { code: null })
  return manageBy(digestOf(bearer), needs, registry, now)
}

/** A session of a management key, identified by the digest of the key's secret. It is valid as long as the secret. */
export function manageBy(
  digest: string,
  needs: KeyRole,
  registry: Registry,
  now: number,
): { readonly caller: Caller; readonly key: Key } {
  const key = usable(digest, registry, now)
  if (key?.kind !== 'management' || (key.isMade === true && registry.hasAdminKey)) {
    throw new Failure('unauthorized', `Incorrect management key provided. ${place}`)
  }
  if (keyRoles.indexOf(key.role ?? 'metrics') < keyRoles.indexOf(needs)) {
    const message = `This management key may not do that, which requires the role ${needs}.`
    throw new Failure('forbidden', message)
  }
  return { caller: callerOf(key), key }
}

const anyone: Caller = {
  id: 'anyone',
  kind: 'inference',
  role: undefined,
  name: undefined,
  credential: undefined,
}

const anyManager: Caller = { ...anyone, kind: 'management', role: 'admin' }

const untold =
  "You didn't provide an API key. Send one of this gateway's keys as `Authorization: Bearer KEY`."

const notForWork = 'This is a management key, which cannot make calls: send one of the keys for calls.'

const needed = "You didn't provide a management key. Send it as `Authorization: Bearer KEY`."

const place =
  'Management keys are in auth.adminKeys of gateway.yaml, in ADMIN_KEY, or in the file admin-key of the data directory; an inference key is not one.'

/**
 * Found by its digest, so that the time of the comparison reveals nothing about a key. Throws if it is not valid any
 * more.
 */
function usable(digest: string, registry: Registry, now: number): Key | undefined {
  const found = registry.find(digest)
  if (found === undefined) return undefined
  const { key, untilMs } = found
  if (key.isDisabled) throw new Failure('unauthorized', 'This API key is disabled.')
  if (key.expiresAtMs !== undefined && key.expiresAtMs <= now) {
    throw new Failure(
      'unauthorized',
      `This API key has expired (${new Date(key.expiresAtMs).toISOString()}).`,
    )
  }
  if (untilMs !== undefined && untilMs <= now) {
    throw new Failure('unauthorized', 'This API key was replaced, and its grace period is over.')
  }
  return key
}

function callerOf({ id, kind, role }: Key): Caller {
  const prefix = kind === 'management' ? 'admin' : 'key'
  return { id, kind, role, name: `${prefix}-${id.slice(0, 8)}`, credential: undefined }
}
