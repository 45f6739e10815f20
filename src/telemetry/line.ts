import { callFields } from '../core/model/record/fields/call-fields.ts'
import { writerOf } from '../core/model/record/fields/field.ts'
import type { CallRecord } from '../core/model/record/record.ts'

/** A call's record as the members of a JSON object, without braces, always in the order of `callFields`. */
export const lineOf: (record: CallRecord) => string = writerOf(callFields)
