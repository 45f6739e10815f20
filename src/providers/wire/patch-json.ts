import { endOfString } from '../../core/model/json.ts'

/**
 * The text of a JSON object with some of its own members set to other JSON texts: replaced where they stand,
 * under every spelling of the key, or added at the end. The rest stays byte for byte. `text` must be valid.
 */
export function patchJson(text: string, edits: Readonly<Record<string, string>>): string {
  const missing = new Map(Object.entries(edits))
  let spliced = ''
  let kept = 0
  let at = skipSpace(text, text.indexOf('{') + 1)
  const isEmpty = text.charCodeAt(at) === closeBrace
  while (text.charCodeAt(at) === quote) {
    const keyEnd = endOfString(text, at) + 1
    const valueStart = skipSpace(text, text.indexOf(':', keyEnd) + 1)
    const valueEnd = endOfValue(text, valueStart)
    const edit = ownEdit(edits, keyIn(text, at, keyEnd))
    if (edit !== undefined) {
      spliced += text.slice(kept, valueStart) + edit.value
      kept = valueEnd
      missing.delete(edit.key)
    }
    at = skipSpace(text, valueEnd)
    if (text.charCodeAt(at) !== comma) break
    at = skipSpace(text, at + 1)
  }
  const added = Array.from(missing, ([key, value]) => `${JSON.stringify(key)}:${value}`).join(',')
  const glue = added === '' || isEmpty ? '' : ','
  return spliced + text.slice(kept, at) + glue + added + text.slice(at)
}

const quote = 0x22
const comma = 0x2c
const openBracket = 0x5b
const closeBracket = 0x5d
const openBrace = 0x7b
const closeBrace = 0x7d

function ownEdit(
  edits: Readonly<Record<string, string>>,
  key: string,
): { readonly key: string; readonly value: string } | undefined {
  const value = Object.hasOwn(edits, key) ? edits[key] : undefined
  return value === undefined ? undefined : { key, value }
}

/** The key between two quotes; `"mod\u0065l"` is `model`. */
function keyIn(text: string, start: number, end: number): string {
  const key = text.slice(start + 1, end - 1)
  return key.includes('\\') ? (JSON.parse(text.slice(start, end)) as string) : key
}

function skipSpace(text: string, start: number): number {
  let at = start
  while (text.charCodeAt(at) <= 0x20) at++
  return at
}

/** Just after the value that begins at `start`. */
function endOfValue(text: string, start: number): number {
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
    } else if (depth === 0 && (code === comma || code <= 0x20)) return at
    at++
  }
  return at
}
