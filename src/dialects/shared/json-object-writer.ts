import { objectIn } from '../../core/model/json/json.ts'

/** Collects a JSON object whose text arrives in pieces. */
export interface JsonObjectWriter {
  add(piece: string): void
  text(): string
  /**
   * True if the text is a complete object. Cheap enough to call after every piece: each piece is scanned once, and the
   * text is parsed once, when the last brace closes.
   */
  isWhole(): boolean
}

export function createJsonObjectWriter(): JsonObjectWriter {
  let text = ''
  /** The text that was not scanned yet. Often nothing calls `isWhole`. */
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
      // If it is invalid now, more text cannot make it an object.
      isBroken = objectIn(text) === undefined
      return !isBroken
    },
  }
}
