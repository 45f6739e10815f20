import { objectIn } from '../../core/model/json/json.ts'

/** A JSON object whose text comes in pieces. */
export interface JsonObjectWriter {
  add(piece: string): void
  text(): string
  /**
   * True once the text is a complete object. Cheap to ask after every piece: each is scanned once, and the whole is
   * parsed once, when the last brace closes.
   */
  isWhole(): boolean
}

export function createJsonObjectWriter(): JsonObjectWriter {
  let text = ''
  /** Parsed only when it is read: usually it never is. */
  let unread = ''
  let depth = 0
  let isBegun = false
  let isQuoted = false
  let isEscaped = false
  let isBroken = false

  const read = (character: string) => {
    if (isEscaped) isEscaped = false
    else if (isQuoted) {
      if (character === '\\') isEscaped = true
      else if (character === '"') isQuoted = false
    } else if (character === '"') isQuoted = true
    else if (character === '{') {
      depth++
      isBegun = true
    } else if (character === '}') depth--
  }
  return {
    add(piece) {
      text += piece
      unread += piece
    },
    text: () => text,
    isWhole() {
      if (isBroken) return false
      for (const character of unread) read(character)
      unread = ''
      if (!isBegun || depth > 0) return false
      // Already invalid: more text cannot make it an object.
      isBroken = objectIn(text) === undefined
      return !isBroken
    },
  }
}
