import * as z from 'zod'
import { Failure } from '../../core/model/failure.ts'
import { JsonText } from '../../core/model/json/json-text.ts'
import type { Tenants } from '../../tenants/tenants.ts'
import { type AdminRoute, route } from '../route.ts'
import { data } from '../schemas.ts'
import type { LiveParts } from './live.ts'

export type ExplainParts = Pick<LiveParts, 'current'> & {
  readonly tenants: Pick<Tenants, 'registry' | 'accessOf'>
}

/** `POST /admin/api/explain`: where a request would go, and why, for managers who have no key for calls. */
export function explainRoute({ current, tenants }: ExplainParts): AdminRoute {
  const tenantOf = (hash: string) => {
    const key = tenants.registry.key(hash)
    if (key?.kind === 'inference') return tenants.accessOf(key)
    throw new Failure('not_found', 'There is no such API key.', { param: 'key', code: 'key_not_found' })
  }
  return route({
    ...{ method: 'post', path: '/admin/api/explain', role: 'read', tag: 'deployments', status: 200 },
    summary:
      'Explains where a request would go, as `POST /v1/route/explain` does; with the limits of a key, if one ' +
      'is named. Nothing is sent upstream, held or recorded',
    body: z.strictObject({
      request: z.looseObject({}).meta({ description: 'The body, in the format of any client' }),
      dialect: z.string().optional(),
      key: z.string().optional().meta({ description: 'The hash of a key' }),
    }),
    answer: data(z.looseObject({ model: z.string(), strategy: z.string(), plan: z.array(z.string()) })),
    async handle({ body: { request, dialect, key } }) {
      const tenant = key === undefined ? undefined : tenantOf(key)
      const caller = { id: key ?? 'operator', credential: undefined, tenant }
      const explained = {
        body: JsonText.of(request),
        dialect,
        caller,
        headers: () => undefined,
        isCounted: false,
      }
      return { data: await current().explain({ ...explained, requestId: 'explained' }) }
    },
  })
}
