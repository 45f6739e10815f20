import * as z from 'zod'
import type { AuditEntry } from '../tenants/keys/audit.ts'
import type { Tenants } from '../tenants/tenants.ts'
import { type AdminRoute, route } from './route.ts'
import { data } from './schemas.ts'
import { isoOf } from './views.ts'

const row = z.object({
  id: z.string(),
  at: z.string(),
  actor: z.string(),
  action: z.string(),
  subject: z.object({ kind: z.string(), id: z.string() }),
  before: z.unknown(),
  after: z.unknown(),
})

/** `GET /admin/api/audit`: who changed what. */
export function auditRoute({ audit }: Tenants): AdminRoute {
  return route({
    ...{ method: 'get', path: '/admin/api/audit', role: 'read', tag: 'audit', status: 200 },
    summary: 'Lists changes, newest first',
    query: z.object({ limit: z.coerce.number().int().min(1).max(1000).default(100) }),
    answer: data(z.array(row)),
    handle: ({ query }) => ({ data: audit.list(query.limit).map(rowOf) }),
  })
}

function rowOf(entry: AuditEntry): z.output<typeof row> {
  const { id, actor } = entry
  const common = { id, at: isoOf(entry.at), actor }
  if (entry.type === 'override') {
    const subject = { kind: 'budget', id: entry.budget }
    const after = { window: entry.window, added_nano_usd: entry.nanoUsd }
    return { ...common, action: 'budget.override', subject, before: null, after }
  }
  if (entry.type === 'resolve') {
    const after = { cost_nano_usd: entry.nanoUsd, reason: entry.reason }
    return { ...common, action: 'call.settle', subject: { kind: 'call', id }, before: null, after }
  }
  const { action, subject, before, after } = entry
  return { ...common, action, subject, before: withoutSecrets(before), after: withoutSecrets(after) }
}

/** Digests are not shown to anyone. */
function withoutSecrets(value: object | null): object | null {
  if (value === null || !('secrets' in value)) return value
  const { secrets: _, ...rest } = value
  return rest
}
