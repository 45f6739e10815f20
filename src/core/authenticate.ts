import { hash } from 'node:crypto'
import { Failure } from './model/failure.ts'
import type { Tenant } from './model/tenant.ts'

/** Lets callers in, and says who each of them is. */
export interface Authenticator {
  /**
   * Who asks for a model's work. `bearer` is what the request bears, if anything. Throws `unauthorized` where inference
   * keys are configured and the bearer is none of them, and for every management key: it cannot spend.
   */
  admit(bearer: string | undefined): Principal
  /**
   * Who manages the gateway, in this role or in one that may do more. Throws `unauthorized`, or `forbidden` for a
   * management key whose role is less. Where no key of either kind is configured everyone may.
   */
  admitManager(bearer: string | undefined, role: Role): Principal
  /** The same for who signed in with a key, known by the digest of its secret: as long as that key is good. */
  admitSession(digest: string, role: Role): Principal
  /** Whether a key of this gateway is required at this moment. */
  asksForKeys(): boolean
}

/** Who asks. */
export type Principal = {
  /**
   * Tells one tenant from every other: the whole digest of the key, or, where the gateway asks for none, of the
   * caller's
   * own bearer. Goes into no log and no answer.
   */
  readonly id: string
  readonly kind: 'inference' | 'management'
  /** What a management key may do; undefined for all others. */
  readonly role: Role | undefined
  /** The key as an operator may see it in a log: a short fingerprint; undefined where none is asked for. */
  readonly name: string | undefined
  /** The bearer, when it is the caller's own and not a key of this gateway: some upstreams accept theirs. */
  readonly credential: string | undefined
  /** What the key allows, and how much; undefined: nothing is counted, and nothing limited. */
  readonly tenant?: Tenant | undefined
}

/** What a management key may do, each more than the one before: scrape metrics, read everything, change things. */
export const roles = ['metrics', 'read', 'admin'] as const

export type Role = (typeof roles)[number]

export type AuthenticationSettings = {
  /** Keys that may ask for work. */
  readonly keys: readonly string[]
  readonly adminKeys: readonly AdminKey[]
}

export type AdminKey = { readonly key: string; readonly role: Role }

export function createAuthenticator({ keys, adminKeys }: AuthenticationSettings): Authenticator {
  // Looked up by digest: how long a comparison takes tells nothing of a key.
  const callers = new Map(keys.map((key) => named(key, 'inference', undefined)))
  const managers = new Map(adminKeys.map(({ key, role }) => named(key, 'management', role)))
  const isGuarded = managers.size > 0 || callers.size > 0
  const manage = (manager: Principal | undefined, role: Role): Principal => {
    if (manager === undefined)
      throw new Failure('unauthorized', `Incorrect management key provided. ${place}`)
    if (mayDo(manager.role, role)) return manager
    throw new Failure('forbidden', `This management key may not do that: it takes one of the role ${role}.`)
  }
  return {
    admit(bearer) {
      if (bearer === undefined) {
        if (callers.size === 0) return anyone
        throw new Failure('unauthorized', untold, { code: null })
      }
      const digest = digestOf(bearer)
      const caller = callers.get(digest)
      if (caller !== undefined) return caller
      if (managers.has(digest)) throw new Failure('unauthorized', notForWork)
      if (callers.size > 0) throw new Failure('unauthorized', 'Incorrect API key provided.')
      return { ...anyone, id: `bearer:${digest}`, credential: bearer }
    },
    admitManager(bearer, role) {
      if (!isGuarded) return anyManager
      if (bearer === undefined) throw new Failure('unauthorized', `${needed} ${place}`, { code: null })
      return manage(managers.get(digestOf(bearer)), role)
    },
    admitSession: (digest, role) => manage(managers.get(digest), role),
    asksForKeys: () => callers.size > 0,
  }
}

/** Whether a key of the role `has` may do what takes the role `needs`. */
export function mayDo(has: Role | undefined, needs: Role): boolean {
  return has !== undefined && roles.indexOf(has) >= roles.indexOf(needs)
}

/** Who bears nothing, where nothing is asked for. */
const anyone: Principal = {
  id: 'anyone',
  kind: 'inference',
  role: undefined,
  name: undefined,
  credential: undefined,
}

const anyManager: Principal = { ...anyone, kind: 'management', role: 'admin' }

const untold =
  "You didn't provide an API key. Send one of this gateway's keys as `Authorization: Bearer KEY`."

const notForWork = 'This is a management key, which cannot ask for work: send one of the keys in auth.keys.'

const needed = "You didn't provide a management key. Send it as `Authorization: Bearer KEY`."

const place = 'Management keys stand in auth.adminKeys of gateway.yaml; an inference key is none.'

function named(key: string, kind: Principal['kind'], role: Role | undefined): readonly [string, Principal] {
  const digest = digestOf(key)
  const prefix = kind === 'management' ? 'admin' : 'key'
  return [digest, { id: digest, kind, role, name: `${prefix}-${digest.slice(0, 8)}`, credential: undefined }]
}

function digestOf(key: string): string {
  return hash('sha256', key, 'hex')
}
