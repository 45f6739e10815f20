import type * as z from 'zod'
import type { Finding, Path } from './problem.ts'
import { type Shape, shapeAt } from './shape.ts'
import { expectation, finding } from './wording.ts'

/** What the environment says of a place that it set. */
export type Given = { readonly text: string; readonly expected: string | undefined }

/**
 * What the schema refused, in our own words, taken from the shape of each place: so a report can say all that
 * is expected there, and knows what must not be shown. A message of a schema's author is kept.
 */
export function findingsOf(
  issues: readonly z.core.$ZodIssue[],
  shape: Shape,
  given: (path: Path) => Given | undefined,
): readonly Finding[] {
  return issues.flatMap((issue) => {
    const path = issue.path.map((key) => (typeof key === 'number' ? key : String(key)))
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(path, key, shape))
    const place = shapeAt(shape, path)
    if (issue.code === 'invalid_key') {
      return {
        path,
        told: `is no name here, expected ${expectation(shapeAt(shape, path.slice(0, -1))?.propertyNames)}`,
      }
    }
    return { path, told: told(issue, place, given(path)) }
  })
}

/** For `safeParse`: leaves the wording to `findingsOf`, except where a schema's author has words of their own. */
export const withoutWording = { error: () => '', reportInput: true } as const

function unknownKey(path: Path, key: string, shape: Shape): Finding {
  const keys = Object.keys(shapeAt(shape, path)?.properties ?? {})
  // `type` is looked at before the settings are, and is not in their schema.
  if (path.length === 2 && path[0] === 'providers') keys.unshift('type')
  return {
    path: [...path, key],
    told: `is no setting, expected ${keys.length > 0 ? keys.join(', ') : 'none'}`,
  }
}

function told(issue: z.core.$ZodIssue, shape: Shape | undefined, given: Given | undefined): string {
  const value = given === undefined ? issue.input : given.text
  const found = value === undefined ? 'missing' : `found ${finding(value, shape)}`
  if (shape?.expected === undefined && given?.expected === undefined && isHarmless(issue.message, value)) {
    return `${found}, expected: ${issue.message}`
  }
  return `${found}, expected ${given?.expected ?? expectation(shape)}`
}

/** A message that says something, and does not quote the value. */
function isHarmless(message: string, value: unknown): boolean {
  return message !== '' && !(typeof value === 'string' && value !== '' && message.includes(value))
}
