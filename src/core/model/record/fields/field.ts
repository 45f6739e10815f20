import { Buffer } from 'node:buffer'
import type { JsonObject } from '../../json/json.ts'
import type { LazySet } from '../../lazy-set.ts'
import type { LineWriter } from '../line-writer.ts'
import { readAmount, readFlag, readList, readNames, readNumber, readObject, readText } from './read-values.ts'

/**
 * One member of a line of the log: how it is written from a record, how it is read from JSON, and what it is for.
 * `Value` holds undefined where the member may be absent. `Own` is the type of its value in a record.
 */
export type Field<Row, Value, Own = unknown> = {
  /** For docs/observability.md: a sentence without its full stop. */
  readonly about: string
  readonly unit: Unit | undefined
  /** Its name in `GET /v1/generation`, and the value there if the line lacks it. */
  readonly api: ApiName | undefined
  /** The value in a record, before it is written; undefined if the record lacks it. Metrics are made from it. */
  readonly of: (row: Row) => Own
  /** Writes the member with its label, `,"name":`; nothing if the record lacks it. */
  readonly write: (row: Row, label: Label, line: LineWriter) => void
  /** Throws RangeError for a value that this member cannot have. */
  readonly read: (value: unknown) => Value | undefined
  /** The inner members, if it is an object or a list of objects. */
  readonly inner: Fields | undefined
}

/** By the names of the members, in the order in which they are written. */
export type Fields = Readonly<Record<string, Field<never, unknown>>>

/** `,"name":` in ASCII. */
export type Label = Uint8Array

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
  readonly write: (row: infer Row, label: Label, line: LineWriter) => void
}
  ? Row
  : never

type ValueOf<Single> = Single extends Field<never, infer Value> ? Value : never

/** Writes the members of a record, without braces. The first member must always be there. */
export function writerOf<Row>(
  fields: Readonly<Record<string, Field<Row, unknown>>>,
): (row: Row, line: LineWriter) => void {
  const members = Object.entries(fields).map(([name, { write }], at) => ({
    label: Buffer.from(`${at === 0 ? '' : ','}${JSON.stringify(name)}:`),
    write,
  }))
  return (row, line) => {
    for (const { label, write } of members) write(row, label, line)
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
): Field<Row, Value, Value> {
  return field(about, notes, of, readText as Field<Row, Value>['read'], (row, label, line) => {
    const value = of(row)
    if (value === undefined) return
    line.put(label)
    if (value === null) line.put(nullText)
    else line.quote(value)
  })
}

/** A text that a caller or an upstream chose: cut short. */
export function clipped<Row>(
  about: string,
  of: (row: Row) => string | undefined,
  notes: FieldNotes = {},
): Field<Row, string | undefined, string | undefined> {
  return text(about, (row: Row) => clip(of(row)), notes)
}

export function number<Row, Value extends number | undefined>(
  about: string,
  of: (row: Row) => Value,
  notes: FieldNotes = {},
): Field<Row, Value, Value> {
  return field(about, notes, of, readNumber as Field<Row, Value>['read'], (row, label, line) => {
    const value = of(row)
    if (value === undefined) return
    line.put(label)
    line.number(value)
  })
}

/** A whole amount of nano-USD, which may be negative. */
export function amount<Row>(
  about: string,
  of: (row: Row) => number | undefined,
  notes: FieldNotes = {},
): Field<Row, number | undefined, number | undefined> {
  return field(about, { unit: 'nano-USD', ...notes }, of, readAmount, (row, label, line) => {
    const value = of(row)
    if (value === undefined) return
    line.put(label)
    line.number(value)
  })
}

/** Milliseconds, in hundredths. */
export function duration<Row, Value extends number | undefined>(
  about: string,
  of: (row: Row) => Value,
  notes: FieldNotes = {},
): Field<Row, Value, Value> {
  return field(
    about,
    { unit: 'ms', ...notes },
    of,
    readNumber as Field<Row, Value>['read'],
    (row, label, line) => {
      const value = of(row)
      if (value === undefined) return
      line.put(label)
      line.hundredths(value)
    },
  )
}

export function flag<Row, Value extends boolean | undefined>(
  about: string,
  of: (row: Row) => Value,
  notes: FieldNotes = {},
): Field<Row, Value, Value> {
  return field(about, notes, of, readFlag as Field<Row, Value>['read'], (row, label, line) => {
    const value = of(row)
    if (value === undefined) return
    line.put(label)
    line.put(value ? trueText : falseText)
  })
}

/** True, or absent. */
export function mark<Row>(
  about: string,
  of: (row: Row) => boolean,
  notes: FieldNotes = {},
): Field<Row, true | undefined> {
  return field(
    about,
    { otherwise: false, ...notes },
    of,
    readFlag as Field<Row, true>['read'],
    (row, label, line) => {
      if (!of(row)) return
      line.put(label)
      line.put(trueText)
    },
  )
}

/** Absent if there are none. */
export function names<Row>(
  about: string,
  of: (row: Row) => LazySet | readonly string[] | undefined,
  notes: FieldNotes = {},
): Field<Row, readonly string[] | undefined> {
  return field(about, { otherwise: [], ...notes }, of, readNames, (row, label, line) => {
    const value = of(row)
    const count = value === undefined ? 0 : 'size' in value ? value.size : value.length
    if (value === undefined || count === 0) return
    line.put(label)
    line.json(JSON.stringify([...value]))
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
    ...field<Row, LineOf<Table> | undefined, unknown>(
      about,
      notes,
      of,
      readObject as never,
      (row, label, line) => {
        const value = of(row)
        if (value === undefined) return
        line.put(label)
        line.put(openBrace)
        write(value, line)
        line.put(closeBrace)
      },
    ),
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
    ...field<Row, readonly LineOf<Table>[], unknown>(
      about,
      { otherwise: [], ...notes },
      of,
      readList as never,
      (row, label, line) => {
        const items = of(row)
        if (items.length === 0 && !isAlways) return
        line.put(label)
        line.put(openBracket)
        let isFirst = true
        for (const item of items) {
          line.put(isFirst ? openBrace : nextBrace)
          isFirst = false
          write(item, line)
          line.put(closeBrace)
        }
        line.put(closeBracket)
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
  return field<Row, Partial<Value> | undefined, unknown>(
    about,
    notes,
    of,
    readObject as never,
    (row, label, line) => {
      const value = of(row)
      if (value === undefined) return
      line.put(label)
      line.json(JSON.stringify(value))
    },
  )
}

function innerWriterOf<Table extends Fields>(inner: Table): (row: RowOf<Table>, line: LineWriter) => void {
  return writerOf(inner as unknown as Readonly<Record<string, Field<RowOf<Table>, unknown>>>)
}

function field<Row, Value, Own>(
  about: string,
  { api, otherwise = null, unit }: FieldNotes,
  of: (row: Row) => Own,
  read: Field<Row, Value>['read'],
  write: Field<Row, Value>['write'],
): Field<Row, Value, Own> {
  return {
    about,
    unit,
    api: api === undefined ? undefined : { name: api, otherwise },
    of,
    read,
    write,
    inner: undefined,
  }
}

function clip(name: string | undefined): string | undefined {
  return name !== undefined && name.length > 200 ? `${name.slice(0, 200)}…` : name
}

export const nullText = Buffer.from('null')
const trueText = Buffer.from('true')
const falseText = Buffer.from('false')
const openBrace = Buffer.from('{')
const nextBrace = Buffer.from(',{')
const closeBrace = Buffer.from('}')
const openBracket = Buffer.from('[')
const closeBracket = Buffer.from(']')
