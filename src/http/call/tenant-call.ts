import { callersBound } from '../../core/account/cost-bound.ts'
import type { OpenRecord } from '../../core/account/open-record.ts'
import { promptSizeOf } from '../../core/account/prompt-size.ts'
import type { AnyCall } from '../../core/model/call.ts'
import type { Preview, Tenant } from '../../core/model/tenant.ts'
import { unknownModel } from '../../core/plan/router.ts'
import type { HeaderLookup } from '../../dialects/shared/dialect.ts'

/**
 * Applies the rules of a key to a call, and consumes its rate limits. Throws, or rejects with, a Failure for a model
 * that the key may not use, and if a limit is reached.
 */
export function enterAs<Asked extends AnyCall>(
  tenant: Tenant,
  call: Asked,
  record: OpenRecord,
  headers: HeaderLookup,
): Asked | Promise<Asked> {
  record.belongsTo(tenant.note)
  refuseOthers(tenant, call)
  const user = userOf(call, headers)
  if (user !== undefined) record.usedBy(tenant.userOf(user))
  const { id: callId, model } = call
  const ofTenant = tenant.callTenant({ callId, model, user })
  const owned = ofTenant === undefined ? call : { ...call, tenant: ofTenant }
  const entering = tenant.enter({ callId, model, tokens: () => wantedTokens(call) })
  if (entering === undefined) return owned
  return entering.then(({ headroom, refusal }) => {
    record.ratedAt(headroom)
    if (refusal !== undefined) throw refusal
    return owned
  })
}

/** As `enterAs`, but nothing is consumed, held or recorded. Returns the state of the budgets too. */
export function previewAs<Asked extends AnyCall>(
  tenant: Tenant,
  call: Asked,
  headers: HeaderLookup,
): { readonly call: Asked; readonly preview: Preview } {
  refuseOthers(tenant, call)
  const preview = tenant.preview({ callId: call.id, model: call.model, user: userOf(call, headers) })
  const { callTenant } = preview
  return { call: callTenant === undefined ? call : { ...call, tenant: callTenant }, preview }
}

/** Throws for a model that the key may not use, with the error for an unknown model. */
function refuseOthers(tenant: Tenant, { model: requested, steering }: AnyCall): void {
  for (const model of [requested, ...(steering?.models ?? [])]) {
    if (!tenant.allowsModel(model)) throw unknownModel(model)
  }
}

/** The caller's user. The header takes precedence over the field in the body. */
function userOf({ body: { value: body } }: AnyCall, headers: HeaderLookup): string | undefined {
  const user = headers('x-pandotate-user') ?? body['user']
  return typeof user === 'string' && user !== '' ? user : undefined
}

/** The tokens to take from a rate limit. The estimate is corrected when the usage is known. */
function wantedTokens(call: AnyCall): number {
  const { exactTokens, textTokens } = promptSizeOf(call)
  return Math.ceil(exactTokens + textTokens) + (callersBound(call) ?? 0)
}
