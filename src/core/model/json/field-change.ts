import type { JsonObject } from './json.ts'

/** Sets a field. True if it changed. */
export function setField(holder: JsonObject, key: string, value: string | number | null): boolean {
  if (holder[key] === value) return false
  holder[key] = value
  return true
}

/** Removes a field. True if it was there. */
export function dropField(holder: JsonObject, key: string): boolean {
  if (!(key in holder)) return false
  delete holder[key]
  return true
}
