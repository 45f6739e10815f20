import { isObject, type JsonObject } from '../model/json/json.ts'

/**
 * Makes a field text: parts are joined, other values are converted, a missing one becomes `absent`. True if it was
 * changed.
 */
export function settleText(holder: JsonObject, key: string, absent: '' | null): boolean {
  const value = holder[key]
  if (typeof value === 'string' || (value === null && absent === null)) return false
  holder[key] = value === undefined || value === null ? absent : spelled(value)
  return true
}

function spelled(value: unknown): string {
  if (Array.isArray(value)) return value.map(textOfPart).join('')
  return textOfPart(value) || JSON.stringify(value)
}

function textOfPart(part: unknown): string {
  if (typeof part === 'string') return part
  return isObject(part) && typeof part['text'] === 'string' ? part['text'] : ''
}
