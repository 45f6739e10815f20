import { hash } from 'node:crypto'
import { withoutBillingLine } from '../model/billing-line.ts'
import type { Call } from '../model/call.ts'

/**
 * The identity of calls that one answer can serve: tenant, kind, model, steering and body. Not included: the order of
 * keys, null fields, the end user's name, and whether the answer streams. Numbers count with all their digits. Neither
 * the tenant nor the upstream credential can be read from the result.
 */
export function fingerprint(call: Call, tenant: string): string {
  const {
    credential,
    kind,
    model,
    steering,
    body: { value: body },
  } = call
  const requested: Record<string, unknown> = {}
  // Claude Code sends a different billing line with every call.
  const messages = withoutBillingLine(body['messages'])
  for (const key of Object.keys(body))
    if (body[key] !== null && !excluded.has(key)) requested[key] = body[key]
  if (messages !== undefined) requested['messages'] = messages
  const parts = [tenant, credential ?? null, kind, model, steering ?? null, requested]
  return hash('sha256', canonical(parts), 'base64url')
}

/**
 * True if a repeated call should give the same answer: one choice, a single candidate, and either a temperature of
 * exactly 0 or a seed.
 */
export function isDeterministic({ body: { value: body } }: Call): boolean {
  const { n, best_of: candidates, temperature, seed } = body
  if ((n ?? 1) !== 1 || (candidates ?? 1) !== 1) return false
  return temperature === 0 || (seed ?? null) !== null
}

/** `model` is included separately, as the caller named it. */
const excluded: ReadonlySet<string> = new Set(['model', 'stream', 'stream_options', 'user'])

/** JSON text with sorted keys. */
function canonical(value: unknown): string {
  if (typeof value !== 'object' || value === null || JSON.isRawJSON(value)) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`).join()}}`
}
