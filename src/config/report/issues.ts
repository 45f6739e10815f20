import type * as z from 'zod'
import { isObject } from '../../core/model/json/json.ts'
import { nearest } from '../../core/model/json/nearest.ts'
import { type Shape, shapeAt, typesOf } from '../shape.ts'
import { expectation, finding } from './error-text.ts'
import type { Finding, Path } from './problem.ts'

/** What the environment says of a place that it set. */
export type Given = { readonly text: string; readonly expected: string | undefined }

/**
 * What the schema refused, in our own words, taken from the shape of each place: so a report can say all that is
 * expected there, and knows what must not be shown. A message of a schema's author is kept.
 */
export function findingsOf(
  issues: readonly z.core.$ZodIssue[],
  shape: Shape,
  given: (path: Path) => Given | undefined,
): readonly Finding[] {
  return issues.flatMap((issue) => {
    const path = issue.path.map((key) => (typeof key === 'number' ? key : String(key)))
    const meant = issue.code === 'invalid_union' ? meantBranch(issue) : undefined
    if (meant !== undefined) return findingsOf(meant, shape, given)
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(path, key, shape))
    const place = shapeAt(shape, path)
    if (issue.code === 'invalid_key') {
      return {
        path,
        told: `is not a name that is allowed here, expected ${expectation(shapeAt(shape, path.slice(0, -1))?.propertyNames)}`,
      }
    }
    return { path, told: told(issue, place, given(path)) }
  })
}

/** For `safeParse`: leaves the wording to `findingsOf`, except where a schema's author has words of their own. */
export const withoutWording = { error: () => '', reportInput: true } as const

/** What is wrong in the one branch of a union whose kind of value it is; undefined where no one branch is. */
function meantBranch(issue: z.core.$ZodIssueInvalidUnion): readonly z.core.$ZodIssue[] | undefined {
  const meant = issue.errors.filter((errors) =>
    errors.every(({ code, path }) => code !== 'invalid_type' || path.length > 0),
  )
  const [only] = meant
  if (only === undefined || meant.length > 1) return undefined
  return only.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] }))
}

function unknownKey(path: Path, key: string, shape: Shape): Finding {
  const keys = keysAt(shapeAt(shape, path))
  // `type` is looked at before the settings are, and is not in their schema.
  if (path.length === 2 && path[0] === 'providers') keys.unshift('type')
  return {
    path: [...path, key],
    told: `is not a setting, expected ${keys.length > 0 ? keys.join(', ') : 'none'}${meant(key, keys)}`,
  }
}

/** `; did you mean port?`, where a key is near. */
function meant(key: string, keys: readonly string[]): string {
  const near = nearest(key, keys)
  return near.length === 0 ? '' : `; did you mean ${near.join(' or ')}?`
}

/** Of a section, or of the one section among several things that may stand there. */
function keysAt(shape: Shape | undefined): string[] {
  const { properties } = shape ?? {}
  if (properties !== undefined) return Object.keys(properties)
  const sections = shape?.anyOf?.filter((branch) => branch.properties !== undefined) ?? []
  return sections.length === 1 ? keysAt(sections[0]) : []
}

function told(issue: z.core.$ZodIssue, shape: Shape | undefined, given: Given | undefined): string {
  const value = given === undefined ? issue.input : given.text
  const found = value === undefined ? 'missing' : `found ${finding(value, shape)}`
  if (shape?.expected === undefined && given?.expected === undefined && isHarmless(issue.message, value)) {
    return `${found}, expected: ${issue.message}`
  }
  if (isObject(value) && shape?.expected?.startsWith('a section')) {
    return `found a section with ${keysIn(value, shape.expected)}, expected ${shape.expected}`
  }
  if (Array.isArray(value) && typesOf(shape).includes('object') && !typesOf(shape).includes('array')) {
    return `found a list, expected a section, each entry under its name (\`name: { ... }\`, and no dash before it)`
  }
  const alike =
    typeof value === 'string' && shape?.enum !== undefined ? meant(value, shape.enum.map(String)) : ''
  return `${found}, expected ${given?.expected ?? expectation(shape)}${alike}`
}

/** Those that are known here: another may be a value that lost its way. */
function keysIn(value: object, expected: string): string {
  const known = Object.keys(value).filter((key) => /^[a-zA-Z]{1,20}$/.test(key) && expected.includes(key))
  return known.length === 0 ? 'none of them' : known.join(', ')
}

/** A message that says something, and does not quote the value. */
function isHarmless(message: string, value: unknown): boolean {
  return message !== '' && !(typeof value === 'string' && value !== '' && message.includes(value))
}
