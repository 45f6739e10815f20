import { isObject, type JsonObject } from '../../json/json.ts'

/** The values that a line's members may have. Null counts as absent; any other type throws RangeError. */

export function readText(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value === 'string') return value
  throw new RangeError('is not a text')
}

export function readNumber(value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value === 'number') return value
  throw new RangeError('is not a number')
}

export function readAmount(value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value
  throw new RangeError('is not a whole number')
}

export function readFlag(value: unknown): boolean | undefined {
  return value === true || value === false ? value : undefined
}

export function readNames(value: unknown): readonly string[] | undefined {
  if (value === undefined || value === null) return undefined
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value
  throw new RangeError('is not a list of names')
}

export function readObject(value: unknown): JsonObject | undefined {
  if (value === undefined || value === null) return undefined
  if (isObject(value)) return value
  throw new RangeError('is not an object')
}

export function readList(value: unknown): readonly JsonObject[] {
  if (value === undefined || value === null) return []
  if (Array.isArray(value) && value.every(isObject)) return value
  throw new RangeError('is not a list of objects')
}
