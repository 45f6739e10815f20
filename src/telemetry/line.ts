import { callFields } from '../core/model/record/fields/call-fields.ts'
import { writerOf } from '../core/model/record/fields/field.ts'
import { decodeLine, LineWriter } from '../core/model/record/line-writer.ts'
import type { CallRecord } from '../core/model/record/record.ts'

/** Writes a call's record as the members of a JSON object, without braces, always in the order of `callFields`. */
export const writeLine: (record: CallRecord, line: LineWriter) => void = writerOf(callFields)

/** The same as text. */
export function lineOf(record: CallRecord): string {
  const line = new LineWriter()
  writeLine(record, line)
  return decodeLine(line)
}
