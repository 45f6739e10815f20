import { depthOf, mayLoseDigits } from './json-scan.ts'

/** A JSON object of unknown shape: what a caller or an upstream sent, before anyone vouches for a field. */
export type JsonObject = { [key: string]: unknown }

/**
 * Parses JSON without losing digits: a number that a double cannot hold (an integer past 2^53, an exponent
 * past 1e308, more digits than any double is written with) becomes a raw number, which `JSON.stringify` writes
 * back as it stood.
 * Throws SyntaxError.
 */
export function parseJson(text: string): unknown {
  if (!mayLoseDigits(text)) return JSON.parse(text)
  return JSON.parse(text, keepDigits as Reviver)
}

/** The object that a text spells; undefined where it spells none, not the whole of one, or one nested past reason. */
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

/** What is read at greater depth might not be written again. */
const deepestObject = 256

/** True for a JSON object: not null, not an array, not a raw number. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !JSON.isRawJSON(value)
}

/** A raw number as the double nearest to it; anything else as it is. */
export function nearest(value: unknown): unknown {
  return typeof value === 'object' && JSON.isRawJSON(value) ? Number(JSON.stringify(value)) : value
}

/**
 * Any value of a parsed JSON text as text: a string as it is, all else as JSON writes it. A raw number, and whatever was
 * parsed, may have no way of its own to be text: `String(value)` throws for those.
 */
export function spell(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? 'undefined')
}

/** Any such value as a number, a raw number as the double nearest to it; NaN for what is none. Never throws. */
export function numberOf(value: unknown): number {
  const near = nearest(value)
  if (typeof near === 'number') return near
  return typeof near === 'string' && near.trim() !== '' ? Number(near) : Number.NaN
}

/** True when any object inside `root` has a key of its own named `__proto__`, however it was escaped. */
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

/** Whether a double says what was written: of a fraction, as far as a double ever says it. */
function isHeld(value: number, written: string): boolean {
  // Also false for what is too big for a double, and so infinite.
  if (Math.abs(value) > Number.MAX_SAFE_INTEGER) return false
  return (
    (value !== 0 && written.length <= mostDigits) ||
    significantDigits(written) <= (value === 0 ? 0 : mostDigits)
  )
}

/** What prints a double takes no more of them to tell it from every other. */
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
