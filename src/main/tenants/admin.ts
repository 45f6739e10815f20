import { randomBytes, randomFillSync } from 'node:crypto'
import { tenantRoutes } from '../../admin/all.ts'
import type { LiveCalls } from '../../admin/calls/live-calls.ts'
import type { KeysParts } from '../../admin/keys.ts'
import { ledgerRoutes } from '../../admin/ledger.ts'
import type { LedgerParts } from '../../admin/ledger-access.ts'
import { deploymentRoutes } from '../../admin/live/deployments.ts'
import { explainRoute } from '../../admin/live/explain.ts'
import type { LiveParts } from '../../admin/live/live.ts'
import { settingsRoute } from '../../admin/live/settings.ts'
import { type InferenceRoute, openApi } from '../../admin/openapi.ts'
import type { JsonObject } from '../../core/model/json/json.ts'
import { describedFormats } from '../../dialects/all.ts'
import type { AppParts } from '../../http/app.ts'
import { createIdempotentAnswers } from '../../http/routes/admin-once.ts'
import { type Changes, type ChangesParts, createChanges } from '../../tenants/keys/changes.ts'
import type { Tenants } from '../../tenants/tenants.ts'

/** The management API, and the document that describes it. */
export function adminFor(
  tenants: Tenants,
  changes: Changes,
  version: string,
  ledger: LedgerParts,
  live: Omit<LiveParts, 'note' | 'now'> &
    Pick<KeysParts, 'endCalls' | 'madeKey'> & { readonly calls: LiveCalls },
): Pick<AppParts, 'adminRoutes' | 'openApi' | 'once'> {
  const note = changes.note.bind(changes)
  const adminRoutes = [
    ...tenantRoutes({ tenants, changes, ...live }),
    ...ledgerRoutes(ledger, live.calls),
    ...deploymentRoutes({ ...live, note, now: ledger.now }),
    settingsRoute(live),
    explainRoute({ ...live, tenants }),
  ]
  const once = createIdempotentAnswers(ledger.now)
  let document: JsonObject | undefined
  const described = () => {
    document ??= { ...openApi(version, adminRoutes, inferenceRoutes()) }
    return document
  }
  return { adminRoutes, once, openApi: described }
}

/** `settleElsewhere` asks another node to settle a call that is not uncertain here. */
export function changesOf(
  tenants: Tenants,
  settleElsewhere: ChangesParts['settleElsewhere'] = async () => 'unknown',
): Changes {
  const newId = () => `evt_${randomBytes(16).toString('hex')}`
  return createChanges({ tenants, settleElsewhere, newId, fill: (bytes) => void randomFillSync(bytes) })
}

/** The calls, each under one of its prefixes. */
const inferenceRoutes = (): readonly InferenceRoute[] =>
  describedFormats().map(({ name, path, prefixes, request }) => ({
    path: `${prefixes.includes('/v1') ? '/v1' : (prefixes[0] ?? '')}${path}`,
    summary: `A call in the format of ${name}`,
    request,
  }))
