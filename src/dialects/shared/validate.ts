import type * as z from 'zod'
import type { JsonObject } from '../../core/model/json/json.ts'
import { firstIssue } from './schemas.ts'
import { failureOf, unknownField } from './validation-error.ts'

/** The fields of a request by name, with a schema for each value. */
export type Fields = ReadonlyMap<string, z.ZodType>

export function fieldsOf(shapes: Readonly<Record<string, z.ZodType>>): Fields {
  return new Map(Object.entries(shapes))
}

/**
 * Validates every known field of a body. Null counts as absent, and unknown fields are ignored. Throws Failure
 * `invalid_request` for the first invalid field. It iterates over the fields of the body, because there are fewer of
 * them than in the table.
 */
export function validate(body: JsonObject, fields: Fields): void {
  for (const name of Object.keys(body)) {
    const value = body[name]
    const shape = value === null ? undefined : fields.get(name)
    if (shape === undefined) continue
    const issue = firstIssue(shape, asNumber(value))
    if (issue !== undefined) throw failureOf(issue, name, value)
  }
}

/** Throws Failure `invalid_request` for the first field that is not among `fields`. */
export function refuseUnknown(body: JsonObject, fields: Fields): void {
  for (const name of Object.keys(body)) {
    if (body[name] !== null && !fields.has(name)) throw unknownField(name)
  }
}

/** A number that is too large for a double is checked by its nearest double. It is forwarded with all its digits. */
function asNumber(value: unknown): unknown {
  if (typeof value !== 'object' || !JSON.isRawJSON(value)) return value
  const number = Number(JSON.stringify(value))
  return Number.isFinite(number) ? number : Math.sign(number) * Number.MAX_VALUE
}
