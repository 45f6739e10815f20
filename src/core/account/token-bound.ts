/**
 * The most tokens that a text can be, in any vocabulary of at least 32,000 pieces with all bytes in it: a byte is at most
 * one token, and in a run of letters no two neighbours stay single unless their pair is no piece of the vocabulary. Takes
 * time by the length of the text: a few milliseconds per megabyte.
 */
export function mostTokensIn(text: string): number {
  let hundredths = 0
  let before = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    hundredths += code < 128 ? (ascii[code] ?? 0) : bytesOf(code) * 100
    // A word has its first letter and the blank before it in one piece.
    if (isLetter(code) && !isLetter(before)) hundredths += before === blank ? runStart - 100 : runStart
    before = code
  }
  return Math.ceil(hundredths / 100)
}

const blank = 0x20

/** Hundredths of a token. Of three letters, two stay together; pairs with a rare letter may be in no vocabulary. */
const commonLetter = 67
const rareLetter = 100 + 2 * (100 - commonLetter)
const runStart = 100 - commonLetter

const rare = new Set('jkqvwxz'.split('').map((letter) => letter.charCodeAt(0)))

const ascii = Uint8Array.from({ length: 128 }, (_, code) => {
  if (!isLetter(code)) return 100
  return isLower(code) && !rare.has(code) ? commonLetter : rareLetter
})

/** In UTF-8; each half of a surrogate pair counts two of its four bytes. */
function bytesOf(code: number): number {
  if (code < 0x800) return 2
  return code >= 0xd800 && code < 0xe000 ? 2 : 3
}

function isLetter(code: number): boolean {
  return isLower(code | 0x20)
}

function isLower(code: number): boolean {
  return code >= 0x61 && code <= 0x7a
}
