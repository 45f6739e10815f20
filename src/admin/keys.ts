import * as z from 'zod'
import { Failure } from '../core/model/failure.ts'
import type { Changes } from '../tenants/keys/changes.ts'
import type { Key } from '../tenants/keys/key.ts'
import type { Tenants } from '../tenants/tenants.ts'
import { keyChangeOf, newKeyOf, requireUnchanged } from './inputs.ts'
import { type AdminRoute, route } from './route.ts'
import {
  aborting,
  data,
  deleted,
  keyChange,
  keyChanging,
  keyInput,
  keyView,
  ownKeyView,
  rotation,
} from './schemas.ts'
import { keyViews, viewOfKey } from './views.ts'

export type KeysParts = {
  readonly tenants: Tenants
  readonly changes: Changes
  /** Ends the running calls of these keys. */
  readonly endCalls: (keys: readonly string[]) => void
  readonly madeKey: MadeKey
}

/** The management key that the gateway creates for itself. */
export type MadeKey = {
  /** Creates it if there is no other: with the first key, authentication turns on. */
  require(): Promise<void>
  /** Stores its new secret; does nothing for other keys. */
  keep(key: Key, secret: string): Promise<void>
}

const withSecret = z.object({
  data: keyView,
  key: z.string().meta({ description: 'The secret. It is shown only once.' }),
})

/** `/admin/api/keys`, in the shape that OpenRouter's clients use. */
export function keyRoutes(parts: KeysParts): readonly AdminRoute[] {
  const { tenants, changes, endCalls, madeKey } = parts
  const { registry } = tenants
  const keyOf = (hash: string | undefined): Key => {
    const key = hash === undefined ? undefined : registry.key(hash)
    if (key === undefined) throw new Failure('not_found', 'There is no such key.', { code: 'key_not_found' })
    return key
  }
  const common = { tag: 'keys', role: 'admin' } as const
  return [
    route({
      ...{ ...common, method: 'get', path: '/admin/api/keys', role: 'read', status: 200 },
      summary: 'Lists keys, newest first',
      query: z.object({
        offset: z.coerce.number().int().min(0).default(0),
        limit: z.coerce.number().int().min(1).max(1000).default(100),
        include_disabled: z.enum(['true', 'false']).default('true'),
        team: z.string().optional(),
      }),
      answer: data(z.array(keyView)),
      async handle({ query }) {
        const keys = registry
          .keys()
          .filter(({ isDisabled }) => query.include_disabled === 'true' || !isDisabled)
          .filter(({ team }) => query.team === undefined || team === query.team)
          .toSorted((one, other) => other.createdAtMs - one.createdAtMs)
          .slice(query.offset, query.offset + query.limit)
        return { data: await keyViews(keys, tenants) }
      },
    }),
    route({
      ...{ ...common, method: 'post', path: '/admin/api/keys', status: 201 },
      summary: 'Creates a key. Its secret is in this answer only',
      body: keyInput,
      answer: withSecret,
      async handle({ body, by }) {
        const { key, secret } = changes.createKey(by, newKeyOf(body))
        await madeKey.require()
        return { data: await viewOfKey(key, tenants), key: secret }
      },
    }),
    route({
      ...{ ...common, method: 'get', path: '/admin/api/keys/{hash}', role: 'read', status: 200 },
      summary: 'Shows a key',
      answer: data(keyView),
      handle: async ({ path }) => ({ data: await viewOfKey(keyOf(path['hash']), tenants) }),
    }),
    route({
      ...{ ...common, method: 'patch', path: '/admin/api/keys/{hash}', status: 200 },
      summary:
        'Changes the given fields of a key; null removes a limit. `abort` ends its running calls if it is disabled',
      query: keyChanging,
      body: keyChange,
      answer: data(keyView),
      async handle({ path, query, body, by }) {
        const before = keyOf(path['hash'])
        requireUnchanged(before, query.unchanged_since)
        const key = await changes.updateKey(by, before.id, keyChangeOf(body, before))
        if (query.abort === 'true' && key.isDisabled) endCalls([key.id])
        return { data: await viewOfKey(key, tenants) }
      },
    }),
    deleteRoute(parts),
    rotateRoute(parts),
  ]
}

function deleteRoute({ changes, endCalls }: KeysParts): AdminRoute {
  return route({
    ...{ tag: 'keys', role: 'admin', method: 'delete', path: '/admin/api/keys/{hash}', status: 200 },
    summary: 'Deletes a key: its next call is refused; `abort` also ends its running calls',
    query: aborting,
    answer: deleted,
    handle({ path, query, by }) {
      const id = path['hash'] ?? ''
      changes.deleteKey(by, id)
      if (query.abort === 'true') endCalls([id])
      return { deleted: true }
    },
  })
}

function rotateRoute({ tenants, changes, endCalls, madeKey }: KeysParts): AdminRoute {
  return route({
    ...{ tag: 'keys', role: 'admin', method: 'post', path: '/admin/api/keys/{hash}/rotate', status: 200 },
    summary:
      'Gives a key a new secret; the old one is valid until `grace_until`. `abort` ends its running calls',
    query: aborting,
    body: rotation,
    answer: withSecret,
    async handle({ path, query, body, by }) {
      const until = body.grace_until ?? body.graceUntil
      const { key, secret } = changes.rotateKey(
        by,
        path['hash'] ?? '',
        until === undefined ? 0 : Date.parse(until),
      )
      await madeKey.keep(key, secret)
      if (query.abort === 'true') endCalls([key.id])
      return { data: await viewOfKey(key, tenants), key: secret }
    },
  })
}

/** `GET /v1/key`: a key about itself. */
export function ownKeyRoute({ tenants }: KeysParts): AdminRoute {
  return route({
    ...{ method: 'get', path: '/v1/key', role: undefined, tag: 'keys', status: 200 },
    summary: 'Shows what the key of the request may do, and has spent',
    answer: data(ownKeyView),
    async handle({ key: id }) {
      const key = id === undefined ? undefined : tenants.registry.key(id)
      if (key === undefined) {
        throw new Failure('not_found', 'The gateway requires no key, so there is none to show.', {
          code: 'key_not_found',
        })
      }
      const view = await viewOfKey(key, tenants)
      return {
        data: {
          ...view,
          ...{ is_free_tier: false, is_management_key: false, is_provisioning_key: false },
          ...{ allowed_data_regions: [], organization_id: null },
          free_model_daily_requests: { limit: 0, remaining: 0, used: 0 },
          rate_limit: {
            interval: '60s',
            note: 'See rpm, tpm and concurrency.',
            requests: key.rates.rpm ?? -1,
          },
        },
      }
    },
  })
}
