import { hash } from 'node:crypto'
import { Failure } from './model/failure.ts'
import type { Tenant } from './model/tenant.ts'

/** Authenticates callers. */
export interface Authenticator {
  /**
   * Authenticates an inference call. `bearer` is the request's bearer token, if any. Throws `unauthorized` if inference
   * keys are configured and the bearer is not one of them, and for every management key, because these cannot spend.
   */
  admit(bearer: string | undefined): Principal
  /**
   * Authenticates a management request that requires this role or a higher one. Throws `unauthorized`, or `forbidden`
   * for a management key with a lower role. If no key of either kind is configured, all requests are admitted.
   */
  admitManager(bearer: string | undefined, role: Role): Principal
  /**
   * The same for a signed-in session, by the digest of its key's secret. The session is valid as long as the key is.
   */
  admitSession(digest: string, role: Role): Principal
  /** Whether a key of this gateway is currently required. */
  asksForKeys(): boolean
}

/** The authenticated caller. */
export type Principal = {
  /**
   * Identifies the tenant: the whole digest of the key or, where the gateway requires none, of the caller's own bearer.
   * It goes into no log and no answer.
   */
  readonly id: string
  readonly kind: 'inference' | 'management'
  /** The role of a management key; undefined for all others. */
  readonly role: Role | undefined
  /** A short fingerprint of the key for logs; undefined if no key is required. */
  readonly name: string | undefined
  /** The bearer, if it is the caller's own key and not one of this gateway: some upstreams accept it. */
  readonly credential: string | undefined
  /** What the key allows, and its limits; undefined: nothing is counted or limited. */
  readonly tenant?: Tenant | undefined
}

/** The roles of management keys, each including the ones before: scrape metrics, read everything, change things. */
export const roles = ['metrics', 'read', 'admin'] as const

export type Role = (typeof roles)[number]

export type AuthenticationSettings = {
  /** Inference keys. */
  readonly keys: readonly string[]
  readonly adminKeys: readonly AdminKey[]
}

export type AdminKey = { readonly key: string; readonly role: Role }

export function createAuthenticator({ keys, adminKeys }: AuthenticationSettings): Authenticator {
  // Keys are looked up by digest, so that timing reveals nothing about them.
  const callers = new Map(keys.map((key) => named(key, 'inference', undefined)))
  const managers = new Map(adminKeys.map(({ key, role }) => named(key, 'management', role)))
  const isGuarded = managers.size > 0 || callers.size > 0
  const manage = (manager: Principal | undefined, role: Role): Principal => {
    if (manager === undefined)
      throw new Failure('unauthorized', `Incorrect management key provided. ${whereKeysAre}`)
    if (mayDo(manager.role, role)) return manager
    throw new Failure('forbidden', `This management key may not do that, which requires the role ${role}.`)
  }
  return {
    admit(bearer) {
      if (bearer === undefined) {
        if (callers.size === 0) return anyone
        throw new Failure('unauthorized', missingKey, { code: null })
      }
      const digest = digestOf(bearer)
      const caller = callers.get(digest)
      if (caller !== undefined) return caller
      if (managers.has(digest)) throw new Failure('unauthorized', notForInference)
      if (callers.size > 0) throw new Failure('unauthorized', 'Incorrect API key provided.')
      return { ...anyone, id: `bearer:${digest}`, credential: bearer }
    },
    admitManager(bearer, role) {
      if (!isGuarded) return anyManager
      if (bearer === undefined)
        throw new Failure('unauthorized', `${missingManagementKey} ${whereKeysAre}`, { code: null })
      return manage(managers.get(digestOf(bearer)), role)
    },
    admitSession: (digest, role) => manage(managers.get(digest), role),
    asksForKeys: () => callers.size > 0,
  }
}

/** Whether a key with the role `has` may do what requires the role `needs`. */
export function mayDo(has: Role | undefined, needs: Role): boolean {
  return has !== undefined && roles.indexOf(has) >= roles.indexOf(needs)
}

/** A caller without a bearer, if none is required. */
const anyone: Principal = {
  id: 'anyone',
  kind: 'inference',
  role: undefined,
  name: undefined,
  credential: undefined,
}

const anyManager: Principal = { ...anyone, kind: 'management', role: 'admin' }

const missingKey =
  "You didn't provide an API key. Send one of this gateway's keys as `Authorization: Bearer KEY`."

const notForInference =
  'This is a management key, which cannot make calls: send one of the keys in auth.keys.'

const missingManagementKey = "You didn't provide a management key. Send it as `Authorization: Bearer KEY`."

const whereKeysAre = 'Management keys are in auth.adminKeys of gateway.yaml; an inference key is not one.'

function named(key: string, kind: Principal['kind'], role: Role | undefined): readonly [string, Principal] {
  const digest = digestOf(key)
  const prefix = kind === 'management' ? 'admin' : 'key'
  return [digest, { id: digest, kind, role, name: `${prefix}-${digest.slice(0, 8)}`, credential: undefined }]
}

function digestOf(key: string): string {
  return hash('sha256', key, 'hex')
}
