import type { attemptFields } from './fields/attempt-fields.ts'
import type { callFields } from './fields/call-fields.ts'
import type { LineOf } from './fields/field.ts'

/** The line of a call in the log, as JSON reads it. Durations are in hundredths of a millisecond. */
export type CallLine = LineOf<typeof callFields>

export type AttemptLine = LineOf<typeof attemptFields>

/** A finished call, as looked up. */
export type Generation = { readonly call: CallLine; readonly startedEpochMs: number }
