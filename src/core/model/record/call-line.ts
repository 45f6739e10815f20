import type { attemptFields } from './fields/attempt-fields.ts'
import type { callFields } from './fields/call-fields.ts'
import type { LineOf } from './fields/field.ts'

/** The parsed line of a call in the log. Durations are in hundredths of a millisecond. */
export type CallLine = LineOf<typeof callFields>

export type AttemptLine = LineOf<typeof attemptFields>

/** A finished call, as `GET /v1/generation` looks it up. */
export type Generation = { readonly call: CallLine; readonly startedEpochMs: number }
