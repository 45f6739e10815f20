import { depthOf, mayLoseDigits } from './json-scan.ts'

/** An unvalidated JSON object from a caller or an upstream. */
export type JsonObject = { [key: string]: unknown }

/**
 * Parses JSON without losing digits: a number that a double cannot hold (an integer past 2^53, an exponent past 1e308,
 * more digits than a double has) becomes a raw number, which `JSON.stringify` writes back unchanged. Throws
 * SyntaxError.
 */
export function parseJson(text: string): unknown {
  if (!mayLoseDigits(text)) return JSON.parse(text)
  return JSON.parse(text, keepDigits as Reviver)
}

/** The object in a text; undefined if the text is not exactly one object, or nested too deeply. */
export function objectIn(text: string): JsonObject | undefined {
  if (depthOf(text, deepestObject) > deepestObject) return undefined
  try {
    const value = parseJson(text)
    return isObject(value) ? value : undefined
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return undefined
    throw thrown
  }
}

/** A deeper value might not be serializable again. */
const deepestObject = 256

/** True for a JSON object: not null, not an array, not a raw number. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !JSON.isRawJSON(value)
}

/** A raw number as the nearest double; anything else unchanged. */
export function nearest(value: unknown): unknown {
  return typeof value === 'object' && JSON.isRawJSON(value) ? Number(JSON.stringify(value)) : value
}

/**
 * Any value of a parsed JSON text as text: a string unchanged, all else as JSON. Raw numbers and parsed objects may
 * have no `toString`: `String(value)` throws for them.
 */
export function spell(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? 'undefined')
}

/** Any such value as a number; a raw number as the nearest double. NaN for anything else. Never throws. */
export function numberOf(value: unknown): number {
  const near = nearest(value)
  if (typeof near === 'number') return near
  return typeof near === 'string' && near.trim() !== '' ? Number(near) : Number.NaN
}

/** How many members all objects inside a parsed value have. */
export function memberCount(value: unknown): number {
  if (Array.isArray(value)) return value.reduce((count: number, item) => count + memberCount(item), 0)
  if (!isObject(value)) return 0
  let count = 0
  for (const key in value) count += 1 + memberCount(value[key])
  return count
}

/** True if any object inside `root` has an own key named `__proto__`, however it was escaped. */
export function hasProtoKey(root: unknown): boolean {
  const waiting: unknown[] = [root]
  while (waiting.length > 0) {
    const next = waiting.pop()
    if (typeof next !== 'object' || next === null) continue
    if (!Array.isArray(next) && Object.hasOwn(next, '__proto__')) return true
    for (const value of Object.values(next)) waiting.push(value)
  }
  return false
}

type Reviver = (key: string, value: unknown) => unknown

function keepDigits(_key: string, value: unknown, context: { source?: string }): unknown {
  if (typeof value !== 'number' || context.source === undefined) return value
  return isHeld(value, context.source) ? value : JSON.rawJSON(context.source)
}

/** Whether a double keeps the written number: of a fraction, as far as a double ever does. */
function isHeld(value: number, written: string): boolean {
  // Also false for numbers too large for a double, which become infinite.
  if (Math.abs(value) > Number.MAX_SAFE_INTEGER) return false
  return (
    (value !== 0 && written.length <= mostDigits) ||
    significantDigits(written) <= (value === 0 ? 0 : mostDigits)
  )
}

/** The most digits needed to print a double uniquely. */
const mostDigits = 17

function significantDigits(written: string): number {
  const [mantissa = ''] = written.split(/e/i)
  return mantissa.replace(/[-.]/g, '').replace(/^0+|0+$/g, '').length
}

declare global {
  // ES2026, in Node since 22; TypeScript's own library does not name them yet.
  interface JSON {
    rawJSON(text: string): object
    isRawJSON(value: unknown): boolean
  }
}
