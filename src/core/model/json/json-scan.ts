/**
 * The one scanner of JSON text: it finds the ends of strings and values, and builds nothing. The text must be valid
 * JSON.
 */

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

/** The index just after the value that begins at `start`. */
export function endOfValue(text: string, start: number): number {
  let depth = 0
  let at = start
  while (at < text.length) {
    const code = text.charCodeAt(at)
    if (code === quote) {
      at = endOfString(text, at) + 1
      continue
    }
    if (code === openBrace || code === openBracket) depth++
    else if (code === closeBrace || code === closeBracket) {
      if (depth === 0) return at
      if (--depth === 0) return at + 1
    } else if (depth === 0 && (code === comma || code <= space)) return at
    at++
  }
  return at
}

/** One member of an object's text: its start, its key, and where its value is. */
export type Member = {
  readonly start: number
  readonly key: string
  readonly valueStart: number
  readonly valueEnd: number
}

/** The members of the object in a text, and where its closing brace is. */
export function membersOf(text: string): { readonly members: readonly Member[]; readonly end: number } {
  const members: Member[] = []
  let at = skipSpace(text, text.indexOf('{') + 1)
  while (text.charCodeAt(at) === quote) {
    const start = at
    const keyEnd = endOfString(text, at) + 1
    const valueStart = skipSpace(text, text.indexOf(':', keyEnd) + 1)
    const valueEnd = endOfValue(text, valueStart)
    members.push({ start, key: keyIn(text, start, keyEnd), valueStart, valueEnd })
    at = skipSpace(text, valueEnd)
    if (text.charCodeAt(at) !== comma) break
    at = skipSpace(text, at + 1)
  }
  return { members, end: at }
}

/**
 * The nesting depth of a JSON text, counted on the text, so that a hostile body is refused before anything is built
 * from it. Stops counting at `limit` + 1.
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

/**
 * The number of nodes to build from a JSON text, whatever its length: every member and container is one, a plain array
 * element a sixteenth. Stops counting past `limit`.
 */
export function nodesOf(text: string, limit: number): number {
  let nodes = 0
  for (let at = 0; at < text.length && nodes <= limit; at++) {
    const code = text.charCodeAt(at)
    if (code === quote) at = endOfString(text, at)
    else if (code === colon || code === openBrace || code === openBracket) nodes++
    else if (code === comma) nodes += 1 / 16
  }
  return nodes
}

/** How many members all objects of a JSON text have, each time that a key is given. */
export function membersWritten(text: string): number {
  let members = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === quote) at = endOfString(text, at)
    else if (code === colon) members++
  }
  return members
}

/** True if a number has sixteen digits, or an exponent of three: a double may not keep it. Strings are skipped. */
export function mayLoseDigits(text: string): boolean {
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

/** The key between two quotes; `"mod\u0065l"` is `model`. */
function keyIn(text: string, start: number, end: number): string {
  const key = text.slice(start + 1, end - 1)
  return key.includes('\\') ? (JSON.parse(text.slice(start, end)) as string) : key
}

function skipSpace(text: string, start: number): number {
  let at = start
  while (text.charCodeAt(at) <= space) at++
  return at
}

const space = 0x20
const quote = 0x22
const comma = 0x2c
const colon = 0x3a
const backslash = 0x5c
const openBrace = 0x7b
const closeBrace = 0x7d
const openBracket = 0x5b
const closeBracket = 0x5d
const point = 0x2e
const zero = 0x30
const nine = 0x39
const lowerE = 0x65
