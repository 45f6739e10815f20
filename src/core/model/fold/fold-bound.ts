import { Failure } from '../failure.ts'

/** Limits a stream that is folded into one JSON answer. */
export interface Fold {
  /** Throws `invalid_response` for too many pieces, or too much text. */
  add(pieces: readonly Piece[]): void
}

type Piece = { readonly isWritten: boolean; readonly text: string }

/** The limits of one answer, like those of a JSON body: all of it is in memory before any of it is sent. */
export function createFoldBound(characters = mostCharacters, events = mostEvents): Fold {
  let length = 0
  let count = 0
  return {
    add(pieces) {
      count += pieces.length
      for (const piece of pieces) if (piece.isWritten) length += piece.text.length
      if (count > events || length > characters) {
        throw new Failure('invalid_response', 'The upstream streamed more than one JSON answer may hold.')
      }
    },
  }
}

const mostCharacters = 64 * 1024 * 1024
const mostEvents = 500_000
