/**
 * What a JSON text says, as a text of its own that is the same for all that say the same: members in the order of
 * their names, numbers by their digits. Two decimals that a double tells apart differ; so do two of more digits than
 * any double is written with, where a digit differs.
 */
export function meaningOf(text: string): string {
  return written(JSON.parse(text, keepToken as Reviver))
}

/** The same of an object without some of its own members. */
export function meaningWithout(text: string, names: readonly string[]): string {
  const value: unknown = JSON.parse(text, keepToken as Reviver)
  if (!isRecord(value)) throw new TypeError(`no JSON object: ${text.slice(0, 200)}`)
  return written(Object.fromEntries(Object.entries(value).filter(([name]) => !names.includes(name))))
}

/** Read with its token instead of its value. */
class Numeral {
  readonly digits: string
  constructor(token: string) {
    this.digits = plain(token)
  }
}

type Reviver = (key: string, value: unknown) => unknown

/** V8 does not tell the source of every number: beside a very long key it may leave it out. */
function keepToken(_key: string, value: unknown, { source }: { readonly source?: string }): unknown {
  return typeof value === 'number' ? new Numeral(source ?? String(value)) : value
}

function written(value: unknown): string {
  if (value instanceof Numeral) return value.digits
  if (Array.isArray(value)) return `[${value.map(written).join()}]`
  if (!isRecord(value)) return JSON.stringify(value)
  const names = Object.keys(value).toSorted()
  return `{${names.map((name) => `${JSON.stringify(name)}:${written(value[name])}`).join()}}`
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Seventeen significant digits are the most that a double is ever written with. */
const doubleDigits = 17

/** `-1.50e3` as `-15e2`. What says no more than a double does is as the double is written. */
function plain(token: string): string {
  const exact = normal(token)
  const [digits = ''] = exact.replace('-', '').split('e')
  const double = Number(token)
  const isDouble =
    digits.length <= doubleDigits && Math.abs(double) <= Number.MAX_SAFE_INTEGER && double !== 0
  return isDouble ? normal(String(double)) : exact
}

function normal(token: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(token) ?? []
  const digits = (whole + fraction).replace(/^0+/, '')
  const significant = digits.replace(/0+$/, '')
  if (significant === '') return '0'
  const scale = BigInt(exponent) - BigInt(fraction.length) + BigInt(digits.length - significant.length)
  return `${sign}${significant}e${scale}`
}
