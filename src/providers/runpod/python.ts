/**
 * The text under a key of a printed Python dictionary: `{'message': 'it\'s', 'code': None}`. Undefined if there is
 * none. Truncated text ends where it was cut.
 */
export function pythonField(printed: string, key: string): string | undefined {
  const [opening, quote] = new RegExp(`['"]${key}['"]: (['"])`).exec(printed) ?? []
  if (opening === undefined || quote === undefined) return undefined
  const start = printed.indexOf(opening) + opening.length
  const [written = ''] = (quote === "'" ? inSingle : inDouble).exec(printed.slice(start)) ?? []
  return written.replace(escapes, unescaped)
}

const inSingle = /^(?:[^'\\]|\\.)*/s
const inDouble = /^(?:[^"\\]|\\.)*/s

// Python, Lexical analysis, "Escape sequences": those that repr() writes.
const escapes = /\\(?:x([\da-f]{2})|u([\da-f]{4})|U([\da-f]{8})|(.))/gs

const controls: ReadonlyMap<string, string> = new Map([
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
])

function unescaped(_all: string, ...parts: readonly (string | undefined)[]): string {
  const [two, four, eight, plain = ''] = parts
  const digits = two ?? four ?? eight
  if (digits === undefined) return controls.get(plain) ?? plain
  const code = Number.parseInt(digits, 16)
  return code <= 0x10ffff ? String.fromCodePoint(code) : '\ufffd'
}
