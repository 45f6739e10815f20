import { Failure } from '../../core/model/failure.ts'
import { isObject, nearest } from '../../core/model/json/json.ts'
import { otherValue, outOfBounds, wrongType } from './validation-error.ts'

// OpenAI's checks of values in fields that several endpoints share. Each throws Failure `invalid_request`.

/** Throws unless all keys are token ids and all biases are from -100 to 100. */
export function refuseLogitBias(bias: unknown): void {
  if (!isObject(bias)) return
  for (const [key, given] of Object.entries(bias)) {
    const param = `logit_bias.${shortened(key)}`
    if (!/^\d{1,9}$/.test(key)) {
      const message = `Invalid key in 'logit_bias': ${shortened(key)}. You should only be submitting non-negative integers.`
      throw new Failure('invalid_request', message, { param: 'logit_bias', code: 'invalid_value' })
    }
    const value = nearest(given)
    if (typeof value !== 'number') throw wrongType(param, 'a number', given)
    if (value < -100) throw outOfBounds(param, 'a decimal', 'below', -100, value)
    if (value > 100) throw outOfBounds(param, 'a decimal', 'above', 100, value)
  }
}

/** Throws unless there are at most 16 texts of limited length. */
export function refuseMetadata(metadata: unknown): void {
  if (!isObject(metadata)) return
  const entries = Object.entries(metadata)
  if (entries.length > 16) {
    const message =
      `Invalid 'metadata': too many properties. ` +
      `Expected an object with at most 16 properties, but got an object with ${entries.length} properties instead.`
    throw new Failure('invalid_request', message, {
      param: 'metadata',
      code: 'object_above_max_properties',
    })
  }
  for (const [key, value] of entries) {
    if (key.length > 64) throw tooLong('metadata', 64, key.length)
    const param = `metadata.${key}`
    if (typeof value !== 'string') throw wrongType(param, 'a string', value)
    if (value.length > 512) throw tooLong(param, 512, value.length)
  }
}

/** Throws for a string that is not one of `values`. Values of other types are not checked. */
export function refuseOthers(param: string, value: unknown, values: readonly string[]): void {
  if (typeof value === 'string' && !values.includes(value)) throw otherValue(param, values, value)
}

/** Throws for a string that is too long or does not match the pattern. */
export function refuseName(param: string, name: unknown, pattern: RegExp, most = 64): void {
  if (typeof name !== 'string') return
  if (name.length > most) throw tooLong(param, most, name.length)
  if (pattern.test(name)) return
  const message =
    `Invalid '${param}': string does not match pattern. ` +
    `Expected a string that matches the pattern '${pattern.source}'.`
  throw new Failure('invalid_request', message, { param, code: 'invalid_value' })
}

/** The pattern of names of functions and schemas. */
export const nameLetters = /^[a-zA-Z0-9_-]+$/

function tooLong(param: string, most: number, length: number): Failure {
  const message =
    `Invalid '${param}': string too long. ` +
    `Expected a string with maximum length ${most}, but got a string with length ${length} instead.`
  return new Failure('invalid_request', message, { param, code: 'string_above_max_length' })
}

function shortened(text: string): string {
  return text.length <= 64 ? text : `${text.slice(0, 61)}...`
}
