import * as z from 'zod'

// The error text of every schema is a noun phrase that names the expected value in OpenAI's terms.
// `validation-error.ts` makes sentences of them.

export const aString = z.string('a string')
export const aBoolean = z.boolean('a boolean')
export const anInteger = z.int('an integer')
export const aDecimal = z.number('a decimal')

/** An integer of any size. `z.int` is limited to 2^53; a seed is not. */
export const anyInteger = z.number('an integer').multipleOf(1)

export const anything = z.unknown()

/** An object with at least these fields. Others are not checked. */
export function anObject(fields: Readonly<Record<string, z.ZodType>> = {}): z.ZodType {
  return z.looseObject(fields, 'an object')
}

/** One of these strings. */
export function oneOf(values: readonly string[]): z.ZodType {
  return z.enum(values)
}

/** Accepts nothing. For values of a form that `form` does not know; `phrase` names the known forms. */
export function nothingBut(phrase: string): z.ZodType {
  return z.never(phrase)
}

export type ListLimits = {
  readonly minLength?: number
  readonly maxLength?: number
  /** A cheap check that avoids running the schema. It may return true only for elements that the schema accepts. */
  readonly plain?: (element: unknown) => boolean
}

/**
 * An array whose elements are checked until the first failure. zod's own arrays report every failure, and a body can
 * contain millions.
 */
export function list(element: z.ZodType, phrase: string, limits: ListLimits = {}): z.ZodType {
  const { minLength = 0, maxLength = Number.POSITIVE_INFINITY, plain } = limits
  const array = z.unknown().check(({ value, issues }) => {
    if (!Array.isArray(value)) {
      issues.push({ code: 'invalid_type', expected: 'array', input: value, message: phrase })
    } else if (value.length < minLength) {
      issues.push({ code: 'too_small', origin: 'array', minimum: minLength, input: value })
    } else if (value.length > maxLength) {
      issues.push({ code: 'too_big', origin: 'array', maximum: maxLength, input: value })
    } else {
      for (let index = 0; index < value.length; index++) {
        if (plain?.(value[index])) continue
        const issue = firstIssue(element, value[index])
        if (issue === undefined) continue
        issues.push(outerIssue(issue, value[index], [index, ...issue.path]))
        return
      }
    }
  })
  return array.meta({ [elementOf]: element })
}

/** The name under which the metadata of a list has the schema of its elements, for descriptions. */
export const elementOf = 'elementSchema'

/**
 * A field with several forms. `formOf` selects the schema by the value; undefined means that the value is valid. An
 * error is then reported for that form only, not for all of them as with a union.
 */
export function form(formOf: (value: unknown) => z.ZodType | undefined): z.ZodType {
  return z.unknown().check(({ value, issues }) => {
    const schema = formOf(value)
    const issue = schema && firstIssue(schema, value)
    if (issue !== undefined) issues.push(outerIssue(issue, value, issue.path))
  })
}

/**
 * The issue to report: the first, or the last if it is about the value itself, so that a bound is reported rather than
 * "not a safe integer".
 */
export function firstIssue(schema: z.ZodType, value: unknown): z.core.$ZodIssue | undefined {
  const { success, error } = schema.safeParse(value)
  if (success) return undefined
  const [first] = error.issues
  return first?.path.length === 0 ? error.issues.at(-1) : first
}

/** Converts an issue of an inner schema to one of the outer schema. zod types them differently. */
function outerIssue(issue: z.core.$ZodIssue, input: unknown, path: PropertyKey[]): z.core.$ZodRawIssue {
  return { ...issue, input, path } as z.core.$ZodRawIssue
}
