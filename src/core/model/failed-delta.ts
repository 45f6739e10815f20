import type { RawDelta } from './call.ts'
import type { Failure } from './failure.ts'
import { JsonText } from './json/json-text.ts'

/** A delta that says that the answer broke here; it holds nothing else. */
export function failedDelta(failure: Failure): RawDelta {
  return Object.assign(JsonText.of({}), { failure })
}
