/** Formats strings as Python prints a list of them: `['region', "it's"]`. */
export function pythonList(items: Iterable<string>): string {
  return `[${[...items].map(pythonString).join(', ')}]`
}

function pythonString(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'"
  const body = text.replace(/[\\'\p{C}\p{Z}]/gu, (character) => escaped(character, quote))
  return quote + body + quote
}

function escaped(character: string, quote: string): string {
  if (character === ' ' || (character === "'" && quote === '"')) return character
  const short = shortEscapes.get(character)
  if (short !== undefined) return short
  const code = character.codePointAt(0) ?? 0
  const hex = code.toString(16)
  if (code < 0x100) return `\\x${hex.padStart(2, '0')}`
  return code < 0x10000 ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`
}

const shortEscapes = new Map([
  ['\\', '\\\\'],
  ["'", "\\'"],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
])
