/**
 * A name as a part of a counter's name, without the characters that separate parts, so that no two counters have the
 * same name.
 */
export function namePart(name: string): string {
  return isPlain.test(name) ? name : name.replace(separators, (one) => codes[one] ?? one)
}

/** The same for the owner of a budget, which a slash ends. */
export function ownerPart(name: string): string {
  return namePart(name).replaceAll('/', '%2F')
}

const isPlain = /^[^%~|]*$/
const separators = /[%~|]/g
const codes: Readonly<Record<string, string>> = { '%': '%25', '~': '%7E', '|': '%7C' }
