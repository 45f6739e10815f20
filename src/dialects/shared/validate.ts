import type * as z from 'zod'
import type { JsonObject } from '../../core/model/json/json.ts'
import { firstIssue } from './schemas.ts'
import { failureOf, unknownField } from './validation-error.ts'

/** The fields a request may have, by name, each with what its value must be when there is one. */
export type Fields = ReadonlyMap<string, z.ZodType>

export function fieldsOf(shapes: Readonly<Record<string, z.ZodType>>): Fields {
  return new Map(Object.entries(shapes))
}

/**
 * Holds every known field of a body to its shape, and leaves the body as it is: explicit null counts as absent, unknown
 * fields are not looked at. Throws Failure `invalid_request` for the first that fails. Only what was sent costs
 * anything: a body has eight fields, a table forty.
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

/** A number too big for a double is held to bounds by its size alone: what is passed on keeps its digits. */
function asNumber(value: unknown): unknown {
  if (typeof value !== 'object' || !JSON.isRawJSON(value)) return value
  const number = Number(JSON.stringify(value))
  return Number.isFinite(number) ? number : Math.sign(number) * Number.MAX_VALUE
}
