import type * as z from 'zod'
import { Failure } from '../../core/model/failure.ts'
import { spell } from '../../core/model/json/json.ts'

/**
 * Converts zod's issue with the field `name` to OpenAI's error: message, `param` as a JSON path, and `code`. `value` is
 * the field's value in the request.
 */
export function failureOf(issue: z.core.$ZodIssue, name: string, value: unknown): Failure {
  const param = pathOf(name, issue.path)
  const given = valueAt(value, issue.path)
  if (given === undefined) return missing(param)
  switch (issue.code) {
    case 'too_small':
      return issue.origin === 'array'
        ? emptyArray(param, issue.minimum)
        : outOfBounds(param, issue.message, 'below', issue.minimum, given)
    case 'too_big':
      return issue.origin === 'array'
        ? longArray(param, issue.maximum, given)
        : outOfBounds(param, issue.message, 'above', issue.maximum, given)
    case 'invalid_value':
      return typeof given === 'string'
        ? otherValue(param, issue.values, given)
        : wrongType(param, `one of ${enumerate(issue.values, 'or')}`, given)
    case 'invalid_format':
      return otherText(param, issue.message, given)
    default:
      return wrongType(param, issue.message, given)
  }
}

export function missing(param: string): Failure {
  return refusal(`Missing required parameter: '${param}'.`, param, 'missing_required_parameter')
}

export function unknownField(name: string): Failure {
  const param = shortened(name)
  return refusal(`Unrecognized request argument supplied: ${param}`, param, 'unknown_parameter')
}

/** The error for a number outside its bounds. `phrase` distinguishes integers from decimals. */
export function outOfBounds(
  param: string,
  phrase: string,
  side: 'below' | 'above',
  bound: number | bigint,
  given: unknown,
): Failure {
  const kind = phrase === 'an integer' ? 'integer' : 'decimal'
  const [limit, sign] = side === 'below' ? (['min', '>='] as const) : (['max', '<='] as const)
  return refusal(
    `Invalid '${param}': ${kind} ${side} ${limit}imum value. ` +
      `Expected a value ${sign} ${bound}, but got ${JSON.stringify(given)} instead.`,
    param,
    `${kind}_${side}_${limit}_value`,
  )
}

function emptyArray(param: string, minLength: number | bigint): Failure {
  return refusal(
    `Invalid '${param}': empty array. ` +
      `Expected an array with minimum length ${minLength}, but got an empty array instead.`,
    param,
    'empty_array',
  )
}

function longArray(param: string, maxLength: number | bigint, given: unknown): Failure {
  const length = Array.isArray(given) ? given.length : 0
  return refusal(
    `Invalid '${param}': array too long. ` +
      `Expected an array with maximum length ${maxLength}, but got an array with length ${length} instead.`,
    param,
    'array_above_max_length',
  )
}

export function otherValue(param: string, values: readonly unknown[], given: string): Failure {
  return refusal(
    `Invalid value: '${shortened(given)}'. Supported values are: ${enumerate(values, 'and')}.`,
    param,
    'invalid_value',
  )
}

/** The error for a value of the right type in a wrong format. */
function otherText(param: string, phrase: string, given: unknown): Failure {
  return refusal(
    `Invalid '${param}': expected ${phrase}, but got '${shortened(spell(given))}' instead.`,
    param,
    'invalid_value',
  )
}

export function wrongType(param: string, phrase: string, given: unknown): Failure {
  return refusal(
    `Invalid type for '${param}': expected ${phrase}, but got ${nounOf(given)} instead.`,
    param,
    'invalid_type',
  )
}

function refusal(message: string, param: string, code: string): Failure {
  return new Failure('invalid_request', message, { param, code })
}

function pathOf(name: string, path: readonly PropertyKey[]): string {
  let text = name
  for (const step of path) text += typeof step === 'number' ? `[${step}]` : `.${String(step)}`
  return text
}

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  let value = root
  for (const step of path) value = (value as Record<PropertyKey, unknown>)[step]
  return value
}

function nounOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'an integer' : 'a decimal number'
  if (typeof value === 'object') return JSON.isRawJSON(value) ? 'a number out of range' : 'an object'
  return `a ${typeof value}`
}

function enumerate(values: readonly unknown[], conjunction: 'and' | 'or'): string {
  const quoted = values.map((value) => `'${spell(value)}'`)
  return quoted.length < 3
    ? quoted.join(` ${conjunction} `)
    : `${quoted.slice(0, -1).join(', ')}, ${conjunction} ${quoted.at(-1)}`
}

/** Shortens a caller's text for an error message. */
function shortened(text: string): string {
  return text.length <= 64 ? text : `${text.slice(0, 61)}...`
}
