import type { RawDelta } from '../call.ts'
import type { Failure } from '../failure.ts'
import { JsonText } from '../json/json-text.ts'

/** A delta that reports that the answer broke here, and holds nothing else. */
export function failedDelta(failure: Failure): RawDelta {
  return Object.assign(JsonText.of({}), { failure })
}
