import { parseJson } from '../../core/model/json/json.ts'
import { depthOf } from '../../core/model/json/json-scan.ts'

/**
 * What an upstream wrote in JSON; undefined for what is none. Nested deeper than anything that is meant to be read, it
 * counts as none: to write it out for a caller would take more stack than there is.
 */
export function parseAnswer(text: string): unknown {
  // Each level takes a character.
  if (text.length > deepest && depthOf(text, deepest) > deepest) return undefined
  try {
    return parseJson(text)
  } catch {
    return undefined
  }
}

/** Of nested objects and lists: four times as deep as a caller may ask. */
const deepest = 256
