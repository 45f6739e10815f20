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
 * The depth of nesting of a JSON text, counted on the text itself, so that a hostile body is refused before
 * anything is built from it. Stops counting at `limit` + 1.
 */
export function depthOf(text: string, limit: number): number {
  let depth = 0
  let deepest = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === quote) {
      at = endOfString(text, at)
    } else if (code === openBrace || code === openBracket) {
      depth++
      if (depth > deepest) deepest = depth
      if (deepest > limit) return deepest
    } else if (code === closeBrace || code === closeBracket) {
      depth--
    }
  }
  return deepest
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

/** The index of the quote that closes the string opened at `start`, or the text's end. */
export function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1)
  while (end !== -1) {
    let slashes = 0
    while (text.charCodeAt(end - 1 - slashes) === backslash) slashes++
    if (slashes % 2 === 0) return end
    end = text.indexOf('"', end + 1)
  }
  return text.length
}

type Reviver = (key: string, value: unknown) => unknown

const quote = 0x22
const backslash = 0x5c
const openBrace = 0x7b
const closeBrace = 0x7d
const openBracket = 0x5b
const closeBracket = 0x5d

const point = 0x2e
const zero = 0x30
const nine = 0x39
const lowerE = 0x65

/** A number of sixteen places, or an exponent of three: what a double may not keep. Strings are skipped over. */
function mayLoseDigits(text: string): boolean {
  let places = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === quote) {
      at = endOfString(text, at)
      places = 0
    } else if ((code >= zero && code <= nine) || code === point) {
      if (++places >= 16) return true
    } else {
      // Bit 0x20 makes a letter lower case.
      if (places > 0 && (code | 0x20) === lowerE && hasLongExponent(text, at + 1)) return true
      places = 0
    }
  }
  return false
}

function hasLongExponent(text: string, start: number): boolean {
  return /^[+-]?\d{3}/.test(text.slice(start, start + 4))
}

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
