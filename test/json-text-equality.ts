import { expect } from 'vitest'
import { JsonText } from '../src/core/model/json/json-text.ts'

/** What it holds is private, and would not be looked at: it equals what its value equals. */
expect.addEqualityTesters([
  function sameJson(one: unknown, other: unknown, testers): boolean | undefined {
    if (!(one instanceof JsonText) && !(other instanceof JsonText)) return undefined
    return this.equals(heldBy(one), heldBy(other), testers)
  },
])

function heldBy(json: unknown): unknown {
  return json instanceof JsonText ? json.value : json
}
