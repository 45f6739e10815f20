import { parseJson } from '../../core/model/json/json.ts'
import { depthOf } from '../../core/model/json/json-scan.ts'

/**
 * An upstream's JSON; undefined if it is none. JSON that is nested too deeply counts as none: serializing it for a
 * caller would overflow the stack.
 */
export function parseAnswer(text: string): unknown {
  // Each level takes one character.
  if (text.length > deepest && depthOf(text, deepest) > deepest) return undefined
  try {
    return parseJson(text)
  } catch {
    return undefined
  }
}

/** Nested objects and lists: four times as deep as a caller's body may be. */
const deepest = 256
