import { objectIn } from '../../core/model/json/json.ts'

/** A JSON object whose text comes in pieces. */
export interface JsonObjectWriter {
  add(piece: string): void
  text(): string
  /**
   * True once the text is that of a whole object. It may be asked after every piece: no piece is looked at twice, and
   * the whole is read once, when the last brace is closed.
   */
  isWhole(): boolean
}

export function createJsonObjectWriter(): JsonObjectWriter {
  let text = ''
  /** Read only where somebody asks: most never do. */
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
      // What more may come makes no object of what is none by now.
      isBroken = objectIn(text) === undefined
      return !isBroken
    },
  }
}
