import { auditRoute } from './audit.ts'
import { type KeysParts, keyRoutes, ownKeyRoute } from './keys.ts'
import { moneyRoutes } from './money.ts'
import type { AdminRoute } from './route.ts'
import { teamRoutes } from './teams.ts'

/** Every operation of the management API that is about tenants. */
export function tenantRoutes(parts: KeysParts): readonly AdminRoute[] {
  return [
    ...keyRoutes(parts),
    ...teamRoutes(parts),
    ...moneyRoutes(parts),
    auditRoute(parts.tenants),
    ownKeyRoute(parts),
  ]
}
