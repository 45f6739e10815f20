import type * as z from 'zod'
import { isObject } from '../../core/model/json/json.ts'
import { nearest } from '../../core/model/json/nearest.ts'
import { type Shape, shapeAt, typesOf } from '../shape.ts'
import { expectedText, foundText } from './error-text.ts'
import type { Finding, Path } from './problem.ts'

/** The text of a setting from the environment, and its expected value. */
export type EnvironmentValue = { readonly text: string; readonly expected: string | undefined }

/**
 * Converts the schema's issues to findings. The text is made from the shape of each setting, so that a report names all
 * valid values and shows no secret. A custom message of a schema is kept.
 */
export function findingsOf(
  issues: readonly z.core.$ZodIssue[],
  shape: Shape,
  given: (path: Path) => EnvironmentValue | undefined,
): readonly Finding[] {
  return issues.flatMap((issue) => {
    const path = issue.path.map((key) => (typeof key === 'number' ? key : String(key)))
    const meant = issue.code === 'invalid_union' ? matchingBranch(issue) : undefined
    if (meant !== undefined) return findingsOf(meant, shape, given)
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(path, key, shape))
    const place = shapeAt(shape, path)
    if (issue.code === 'invalid_key') {
      return {
        path,
        message: `is not a name that is allowed here, expected ${expectedText(shapeAt(shape, path.slice(0, -1))?.propertyNames)}`,
      }
    }
    return { path, message: messageOf(issue, place, given(path)) }
  })
}

/** Options for `safeParse`: `findingsOf` makes the messages, except custom ones. */
export const withoutWording = { error: () => '', reportInput: true } as const

/** The issues of the only branch of a union that accepts this type of value; undefined if there is not exactly one. */
function matchingBranch(issue: z.core.$ZodIssueInvalidUnion): readonly z.core.$ZodIssue[] | undefined {
  const matching = issue.errors.filter((errors) =>
    errors.every(({ code, path }) => code !== 'invalid_type' || path.length > 0),
  )
  const [only] = matching
  if (only === undefined || matching.length > 1) return undefined
  return only.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] }))
}

function unknownKey(path: Path, key: string, shape: Shape): Finding {
  const keys = keysAt(shapeAt(shape, path))
  // `type` is read before the settings, so it is not in their schema.
  if (path.length === 2 && path[0] === 'providers') keys.unshift('type')
  return {
    path: [...path, key],
    message: `is not a setting, expected ${keys.length > 0 ? keys.join(', ') : 'none'}${suggestion(key, keys)}`,
  }
}

/** `; did you mean port?` if a key is similar, otherwise ''. */
function suggestion(key: string, keys: readonly string[]): string {
  const near = nearest(key, keys)
  return near.length === 0 ? '' : `; did you mean ${near.join(' or ')}?`
}

/** The keys of a section, or of the only section among the alternatives. */
function keysAt(shape: Shape | undefined): string[] {
  const { properties } = shape ?? {}
  if (properties !== undefined) return Object.keys(properties)
  const sections = shape?.anyOf?.filter((branch) => branch.properties !== undefined) ?? []
  return sections.length === 1 ? keysAt(sections[0]) : []
}

function messageOf(
  issue: z.core.$ZodIssue,
  shape: Shape | undefined,
  given: EnvironmentValue | undefined,
): string {
  const value = given === undefined ? issue.input : given.text
  const found = value === undefined ? 'missing' : `found ${foundText(value, shape)}`
  if (shape?.expected === undefined && given?.expected === undefined && isHarmless(issue.message, value)) {
    return `${found}, expected: ${issue.message}`
  }
  if (isObject(value) && shape?.expected?.startsWith('a section')) {
    return `found a section with ${keysIn(value, shape.expected)}, expected ${shape.expected}`
  }
  if (Array.isArray(value) && typesOf(shape).includes('object') && !typesOf(shape).includes('array')) {
    return `found a list, expected a section, each entry under its name (\`name: { ... }\`, without a dash before it)`
  }
  const alike =
    typeof value === 'string' && shape?.enum !== undefined ? suggestion(value, shape.enum.map(String)) : ''
  return `${found}, expected ${given?.expected ?? expectedText(shape)}${alike}`
}

/** The known keys. Others may be misplaced values, so they are not shown. */
function keysIn(value: object, expected: string): string {
  const known = Object.keys(value).filter((key) => /^[a-zA-Z]{1,20}$/.test(key) && expected.includes(key))
  return known.length === 0 ? 'none of them' : known.join(', ')
}

/** True for a message that is not empty and does not quote the value. */
function isHarmless(message: string, value: unknown): boolean {
  return message !== '' && !(typeof value === 'string' && value !== '' && message.includes(value))
}
