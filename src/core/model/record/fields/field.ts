import { isObject, type JsonObject } from '../../json/json.ts'
import type { LazySet } from '../../lazy-set.ts'

/**
 * One member of a line of the log: how it is written from a record, how it is read from JSON, and what it is for.
 * `Value` holds undefined where the member may be absent.
 */
export type Field<Row, Value> = {
  /** For docs/observability.md: a sentence without its full stop. */
  readonly about: string
  readonly unit: Unit | undefined
  /** Its name in `GET /v1/generation`, and the value there if the line lacks it. */
  readonly api: ApiName | undefined
  /** The member with its label, `,"name":`; '' if the record lacks it. */
  readonly write: (row: Row, label: string) => string
  /** Throws RangeError for a value that this member cannot have. */
  readonly read: (value: unknown) => Value | undefined
  /** The inner members, if it is an object or a list of objects. */
  readonly inner: Fields | undefined
}

/** By the names of the members, in the order in which they are written. */
export type Fields = Readonly<Record<string, Field<never, unknown>>>

export type ApiName = { readonly name: string; readonly otherwise: unknown }

export type Unit = 'ms' | 'nano-USD' | 'tokens' | 'bytes'

/** The type of a parsed line. */
export type LineOf<Table extends Fields> = {
  readonly [Name in keyof Table as undefined extends ValueOf<Table[Name]> ? never : Name]: ValueOf<
    Table[Name]
  >
} & {
  readonly [Name in keyof Table as undefined extends ValueOf<Table[Name]> ? Name : never]?: Exclude<
    ValueOf<Table[Name]>,
    undefined
  >
}

/** The type that the members of a table are written from. */
type RowOf<Table extends Fields> = Table[keyof Table] extends {
  readonly write: (row: infer Row, label: string) => string
}
  ? Row
  : never

type ValueOf<Single> = Single extends Field<never, infer Value> ? Value : never

/**
 * Writes the members of a record, without braces. Every call pays for it: an object for `JSON.stringify` takes a third
 * longer. The first member must always be there.
 */
export function writerOf<Row>(fields: Readonly<Record<string, Field<Row, unknown>>>): (row: Row) => string {
  const members = Object.entries(fields).map(([name, { write }], at) => ({
    label: `${at === 0 ? '' : ','}${JSON.stringify(name)}:`,
    write,
  }))
  return (row) => {
    let text = ''
    for (const { label, write } of members) text += write(row, label)
    return text
  }
}

/** Reads one member of a line. Throws RangeError, naming the member, for a value that it cannot have. */
export function readMember<Value>(
  line: JsonObject,
  name: string,
  { read }: Field<never, Value>,
): Value | undefined {
  try {
    return read(line[name])
  } catch (thrown) {
    if (!(thrown instanceof RangeError)) throw thrown
    throw new RangeError(`${name} ${thrown.message}`, { cause: thrown })
  }
}

export type FieldNotes = { readonly api?: string; readonly otherwise?: unknown; readonly unit?: Unit }

/** A text of the gateway's own, or of a closed list. */
export function text<Row, Value extends string | null | undefined>(
  about: string,
  of: (row: Row) => Value,
  notes: FieldNotes = {},
): Field<Row, Value> {
  return field(about, notes, readText as Field<Row, Value>['read'], (row, label) => {
    const value = of(row)
    if (value === undefined) return ''
    return value === null ? `${label}null` : label + quoted(value)
  })
}

/** A text that a caller or an upstream chose: cut short. */
export function clipped<Row>(
  about: string,
  of: (row: Row) => string | undefined,
  notes: FieldNotes = {},
): Field<Row, string | undefined> {
  return text(about, (row: Row) => clip(of(row)), notes)
}

export function number<Row, Value extends number | undefined>(
  about: string,
  of: (row: Row) => Value,
  notes: FieldNotes = {},
): Field<Row, Value> {
  return field(about, notes, readNumber as Field<Row, Value>['read'], (row, label) => {
    const value = of(row)
    return value === undefined ? '' : label + digits(value)
  })
}

/** A whole amount of nano-USD, which may be negative. */
export function amount<Row>(
  about: string,
  of: (row: Row) => number | undefined,
  notes: FieldNotes = {},
): Field<Row, number | undefined> {
  return field(about, { unit: 'nano-USD', ...notes }, readAmount, (row, label) => {
    const value = of(row)
    return value === undefined ? '' : label + digits(value)
  })
}

/** Milliseconds, in hundredths. */
export function duration<Row, Value extends number | undefined>(
  about: string,
  of: (row: Row) => Value,
  notes: FieldNotes = {},
): Field<Row, Value> {
  return field(about, { unit: 'ms', ...notes }, readNumber as Field<Row, Value>['read'], (row, label) => {
    const value = of(row)
    return value === undefined ? '' : label + hundredths(value)
  })
}

export function flag<Row, Value extends boolean | undefined>(
  about: string,
  of: (row: Row) => Value,
  notes: FieldNotes = {},
): Field<Row, Value> {
  return field(about, notes, readFlag as Field<Row, Value>['read'], (row, label) => {
    const value = of(row)
    return value === undefined ? '' : label + value
  })
}

/** True, or absent. */
export function mark<Row>(
  about: string,
  of: (row: Row) => boolean,
  notes: FieldNotes = {},
): Field<Row, true | undefined> {
  return field(about, { otherwise: false, ...notes }, readFlag as Field<Row, true>['read'], (row, label) =>
    of(row) ? `${label}true` : '',
  )
}

/** Absent if there are none. */
export function names<Row>(
  about: string,
  of: (row: Row) => LazySet | readonly string[] | undefined,
  notes: FieldNotes = {},
): Field<Row, readonly string[] | undefined> {
  return field(about, { otherwise: [], ...notes }, readNames, (row, label) => {
    const value = of(row)
    const count = value === undefined ? 0 : 'size' in value ? value.size : value.length
    return value === undefined || count === 0 ? '' : label + JSON.stringify([...value])
  })
}

/** An object with its own members; the first is always present. */
export function object<Row, Table extends Fields>(
  about: string,
  inner: Table,
  of: (row: Row) => RowOf<Table> | undefined,
  notes: FieldNotes = {},
): Field<Row, LineOf<Table> | undefined> {
  const write = innerWriterOf(inner)
  return {
    ...field<Row, LineOf<Table> | undefined>(about, notes, readObject as never, (row, label) => {
      const value = of(row)
      return value === undefined ? '' : `${label}{${write(value)}}`
    }),
    inner,
  }
}

/** A list of objects; absent if it is empty, unless `isAlways`. */
export function list<Row, Table extends Fields>(
  about: string,
  inner: Table,
  of: (row: Row) => readonly RowOf<Table>[],
  { isAlways = false, ...notes }: FieldNotes & { readonly isAlways?: boolean } = {},
): Field<Row, readonly LineOf<Table>[]> {
  const write = innerWriterOf(inner)
  return {
    ...field<Row, readonly LineOf<Table>[]>(
      about,
      { otherwise: [], ...notes },
      readList as never,
      (row, label) => {
        const items = of(row)
        if (items.length === 0 && !isAlways) return ''
        return `${label}[${items.map((item) => `{${write(item)}}`).join(',')}]`
      },
    ),
    inner,
  }
}

/** A small object of numbers, as `JSON.stringify` writes it; undefined members are left out. */
export function amounts<Row, Value extends object>(
  about: string,
  of: (row: Row) => Value | undefined,
  notes: FieldNotes = {},
): Field<Row, Partial<Value> | undefined> {
  return field<Row, Partial<Value> | undefined>(about, notes, readObject as never, (row, label) => {
    const value = of(row)
    return value === undefined ? '' : label + JSON.stringify(value)
  })
}

function innerWriterOf<Table extends Fields>(inner: Table): (row: RowOf<Table>) => string {
  return writerOf(inner as unknown as Readonly<Record<string, Field<RowOf<Table>, unknown>>>)
}

function field<Row, Value>(
  about: string,
  { api, otherwise = null, unit }: FieldNotes,
  read: Field<Row, Value>['read'],
  write: Field<Row, Value>['write'],
): Field<Row, Value> {
  return {
    about,
    unit,
    api: api === undefined ? undefined : { name: api, otherwise },
    read,
    write,
    inner: undefined,
  }
}

function readText(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value === 'string') return value
  throw new RangeError('is not a text')
}

function readNumber(value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value === 'number') return value
  throw new RangeError('is not a number')
}

function readAmount(value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value
  throw new RangeError('is not a whole number')
}

function readFlag(value: unknown): boolean | undefined {
  return value === true || value === false ? value : undefined
}

function readNames(value: unknown): readonly string[] | undefined {
  if (value === undefined || value === null) return undefined
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value
  throw new RangeError('is not a list of names')
}

function readObject(value: unknown): JsonObject | undefined {
  if (value === undefined || value === null) return undefined
  if (isObject(value)) return value
  throw new RangeError('is not an object')
}

function readList(value: unknown): readonly JsonObject[] {
  if (value === undefined || value === null) return []
  if (Array.isArray(value) && value.every(isObject)) return value
  throw new RangeError('is not a list of objects')
}

function clip(name: string | undefined): string | undefined {
  return name !== undefined && name.length > 200 ? `${name.slice(0, 200)}…` : name
}

function quoted(value: string): string {
  return isPlain.test(value) ? `"${value}"` : JSON.stringify(value)
}

/** Printable ASCII that JSON writes as it is. */
const isPlain = /^[ !#-[\]-~]*$/

/** JSON has neither NaN nor Infinity. */
function digits(value: number): string {
  return Number.isFinite(value) ? String(value) : 'null'
}

function hundredths(ms: number): string {
  const count = Math.round(ms * 100)
  if (!(count >= 0 && count < 1e9)) return digits(count / 100)
  // V8 caches the text of small whole numbers, but formats fractions digit by digit.
  const whole = Math.floor(count / 100)
  return whole + (fractions[count - whole * 100] ?? '')
}

/** `''`, `.01`, … `.1`, … `.99` */
const fractions = Array.from({ length: 100 }, (_, count) => String(count / 100).slice(1))
