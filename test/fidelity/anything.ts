import fc from 'fast-check'

/** A member of a JSON object, as it is written: the text of its key, quotes and escapes included, and of its value. */
export type Member = readonly [key: string, value: string]

/** The text of any JSON value, in any spelling, on one line. */
export function anyJson(): fc.Arbitrary<string> {
  return texts.value
}

/**
 * Members of an object whose names are none of `known`, whatever else they are; each of them once. With `proto` the
 * name may be `__proto__`.
 */
export function extraMembers(
  known: readonly string[],
  { proto = false }: { readonly proto?: boolean } = {},
): fc.Arbitrary<readonly Member[]> {
  const key = proto ? fc.oneof({ weight: 9, arbitrary: texts.key }, protoKey) : texts.key
  return fc
    .uniqueArray(fc.tuple(key, texts.value), { maxLength: 4, selector: ([name]) => nameOf(name) })
    .map((members) => members.filter(([name]) => !known.includes(nameOf(name))))
}

/** The text of an object of these members, and of others among them. */
export function objectWith(known: Readonly<Record<string, string>>, extra: readonly Member[] = []): string {
  const own = Object.entries(known).map(([name, value]): Member => [JSON.stringify(name), value])
  const half = extra.length >> 1
  const members = [...extra.slice(0, half), ...own, ...extra.slice(half)]
  return `{${members.map(([key, value]) => `${key}:${value}`).join(', ')}}`
}

function nameOf(key: string): string {
  return JSON.parse(key) as string
}

/** What means something to anyone who forgets that it is data. */
const oddKeys = [
  ...['constructor', 'prototype', 'toString', 'valueOf', 'hasOwnProperty', 'toJSON', 'then', 'length'],
  ...['', '0', '-1', '10', '1e3', 'null', 'data', ' ', '\u2028', 'ключ', '键', '🔑'],
]
const protoKey = fc.constantFrom('"__proto__"', '"\\u005f_proto__"')

/** Pieces of a string as JSON may spell it. Half a pair of surrogates can only be said in an escape. */
const spellings = [
  ...['\\ud800', '\\udfff', '\\uD83D', '\\ude00', '\\ud83d\\ude00', '\\u0000', '\\u001f', '\\u007F'],
  ...['\\/', '\\"', '\\\\', '\\b', '\\f', '\\n', '\\r', '\\t', '\\n\\ndata: ', '[DONE]', '\\u0022'],
  ...[
    '\u2028',
    '\u2029',
    '\u0085',
    '\ufeff',
    '\ufffd',
    '\u007f',
    '\u{10ffff}',
    'é',
    'é',
    '模型 😀',
    'a',
    '{',
    ',',
  ],
]

const numerals = [
  ...['0', '-0', '-0.0', '0e5', '1E+2', '1e-7', '1.0', '-1.50', '9007199254740993', '-9007199254740993'],
  ...['0.1000000000000000055511151231257827', '3.14159265358979323846', '1e400', '-1e-400', '5e-324'],
  ...['18446744073709551615', '0.30000000000000004', '123456789012345678901234567890.125'],
]

const digits = fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 1, maxLength: 40 })
const decimal = fc
  .tuple(
    fc.boolean(),
    fc.bigInt({ min: 0n, max: 10n ** 30n }),
    fc.option(digits),
    fc.option(fc.integer({ min: -400, max: 400 })),
  )
  .map(
    ([isNegative, whole, fraction, exponent]) =>
      `${isNegative ? '-' : ''}${whole}${fraction === null ? '' : `.${fraction}`}${exponent === null ? '' : `e${exponent}`}`,
  )
const double = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value))
const number = fc.oneof(fc.constantFrom(...numerals), fc.integer().map(String), double, decimal)

const spelled = fc
  .array(fc.constantFrom(...spellings), { maxLength: 8 })
  .map((pieces) => `"${pieces.join('')}"`)
const string = fc.oneof(
  fc.string({ unit: 'binary' }).map((text) => JSON.stringify(text)),
  spelled,
)

const key = fc
  .oneof(
    { weight: 4, arbitrary: string },
    { weight: 4, arbitrary: fc.constantFrom(...oddKeys).map((name) => JSON.stringify(name)) },
    { weight: 1, arbitrary: fc.constant(JSON.stringify('k'.repeat(1000))) },
  )
  .filter((text) => nameOf(text) !== '__proto__')

const texts = {
  key,
  value: fc.letrec<{ value: string; list: string; object: string }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      number,
      string,
      fc.constantFrom('null', 'true', 'false'),
      tie('list'),
      tie('object'),
    ),
    list: fc.array(tie('value'), { maxLength: 4 }).map((items) => `[${items.join(' ,')}]`),
    object: fc
      .uniqueArray(fc.tuple(key, tie('value')), { maxLength: 4, selector: ([name]) => nameOf(name) })
      .map((members) => objectWith({}, members)),
  })).value,
}
