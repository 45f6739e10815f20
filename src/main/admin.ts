import { randomFillSync } from 'node:crypto'
import { tenantRoutes } from '../admin/all.ts'
import { ledgerRoutes } from '../admin/ledger.ts'
import type { LedgerParts } from '../admin/ledger-access.ts'
import { type InferenceRoute, openApi } from '../admin/openapi.ts'
import { dialects, relays } from '../dialects/all.ts'
import type { AppParts } from '../http/app.ts'
import { createChanges } from '../tenants/changes.ts'
import type { Tenants } from '../tenants/tenants.ts'

/** The management API, and the document that describes it. */
export function adminFor(
  tenants: Tenants,
  version: string,
  newId: () => string,
  ledger: LedgerParts,
): Pick<AppParts, 'adminRoutes' | 'openApi'> {
  const changes = createChanges({
    tenants,
    newId: () => newId().replace(/^req_/, 'evt_'),
    fill: (bytes) => void randomFillSync(bytes),
  })
  const adminRoutes = [...tenantRoutes({ tenants, changes }), ...ledgerRoutes(ledger)]
  return { adminRoutes, openApi: () => ({ ...openApi(version, adminRoutes, inferenceRoutes) }) }
}

/** The calls, each under one of its prefixes. */
const inferenceRoutes: readonly InferenceRoute[] = [
  ...[...dialects, ...relays].map(({ name, path, prefixes }) => ({
    path: `${prefixes.includes('/v1') ? '/v1' : (prefixes[0] ?? '')}${path}`,
    summary: `A call in the format of ${name}`,
  })),
  { path: '/v1/responses', summary: 'A call in the format of responses' },
]
