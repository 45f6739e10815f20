import type { attemptFields } from './fields/attempt-fields.ts'
import type { callFields } from './fields/call-fields.ts'
import type { LineOf } from './fields/field.ts'

/** What the line of a call holds, as the log has it and JSON reads it. Durations are in hundredths of a millisecond. */
export type CallLine = LineOf<typeof callFields>

export type AttemptLine = LineOf<typeof attemptFields>

/** A call that is over, as it is looked up. */
export type Generation = { readonly call: CallLine; readonly startedEpochMs: number }
