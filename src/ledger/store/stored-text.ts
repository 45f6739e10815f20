import { createHash } from 'node:crypto'

/**
 * Text in the form in which every database stores it. Postgres refuses NUL and half a surrogate pair, and one call that
 * is refused would stop all that follow. Questions use the same form.
 */
export function storedText(text: string): string {
  return text.includes('\0') ? text.toWellFormed().replaceAll('\0', replacement) : text.toWellFormed()
}

/**
 * A name for columns that are indexed together: Postgres limits the row of an index to 2704 bytes. A longer name keeps
 * its beginning, and its digest tells it from others.
 */
export function storedName(name: string): string {
  const text = storedText(name)
  if (text.length * 3 <= mostBytes) return text
  const bytes = Buffer.from(text)
  if (bytes.length <= mostBytes) return text
  const kept = bytes.toString('utf8', 0, mostBytes - digestDigits - 1)
  const digest = createHash('sha256').update(text).digest('hex')
  // A character that is cut in the middle is left out.
  return `${kept.replace(/\ufffd$/, '')}~${digest.slice(0, digestDigits)}`
}

/** The same for the text of a JSON value, which has such characters as escapes. */
export function storedJson(json: string): string {
  return suspect.test(json) ? json.replace(escapes, replaceEscape) : json
}

const replacement = '\ufffd'

/** Seven of them, and a time, are one row of an index. */
const mostBytes = 320
const digestDigits = 16

const suspect = /\\u(?:0000|[dD][89a-fA-F])/

/** Whole pairs first, and every other escape, so that an escaped backslash before a `u` is not read as an escape. */
const escapes =
  /\\u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|\\u0000|\\u[dD][89a-fA-F][\da-fA-F]{2}|\\[^u]/g

function replaceEscape(found: string): string {
  return found.length === 6 ? '\\ufffd' : found
}
