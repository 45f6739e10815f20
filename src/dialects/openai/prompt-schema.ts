import type * as z from 'zod'
import { numberOf } from '../../core/model/json/json.ts'
import { anInteger, aString, form, list, nothingBut } from '../shared/schemas.ts'

/**
 * A string, strings, token ids, or lists of token ids; at most `mostTexts` of them. The first element decides the type
 * of an array, so mixed arrays are refused.
 */
export function promptSchema(mostTexts = Number.POSITIVE_INFINITY): z.ZodType {
  const bounds = { minLength: 1, maxLength: mostTexts }
  const texts = list(aString, 'an array of strings', { ...bounds, plain: isString })
  const tokens = list(anInteger.min(0), 'an array of integers', { minLength: 1, plain: isToken })
  const tokenLists = list(tokens, 'an array of arrays of integers', bounds)
  return form((value) => {
    if (typeof value === 'string') return undefined
    if (!Array.isArray(value)) return neither
    if (Array.isArray(value[0])) return tokenLists
    return typeof value[0] === 'number' ? tokens : texts
  })
}

const neither = nothingBut(
  'one of a string, array of strings, array of integers, or array of arrays of integers',
)

function isString(value: unknown): boolean {
  return typeof value === 'string'
}

function isToken(value: unknown): boolean {
  return Number.isSafeInteger(value) && numberOf(value) >= 0
}
