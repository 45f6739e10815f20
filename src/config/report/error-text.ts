import { isObject } from '../../core/model/json/json.ts'
import { isContainer, type Shape, typesOf } from '../shape.ts'

/** The valid values of a setting, as text that follows `expected`. */
export function expectedText(shape: Shape | undefined): string {
  if (shape?.expected !== undefined) return shape.expected
  if (shape?.enum !== undefined) return `one of ${shape.enum.join(', ')}`
  if (shape?.const !== undefined) return String(shape.const)
  const alternatives = shape?.anyOf ?? shape?.oneOf
  if (alternatives !== undefined) return alternatives.map(expectedText).join(' or ')
  const type = typesOf(shape).find((name) => name !== 'null')
  if (shape === undefined || type === undefined) return 'another value'
  return wordings[type]?.(shape) ?? 'another value'
}

/** The value of a setting, as text that follows `found`. Of a secret, only the length is shown. */
export function foundText(value: unknown, shape: Shape | undefined): string {
  if (typeof value === 'string' && isSecret(shape)) return `a secret of ${characters(value.length)}`
  // Text in the place of a section may be a secret at the wrong indentation, so it is not shown.
  if (shape?.secret || isContainer(shape)) return kindOf(value)
  if (typeof value === 'string') return JSON.stringify(shortened(withoutCredentials(value)))
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : kindOf(value)
}

/** A secret for display: the last four characters if it is longer than 12, otherwise none. */
export function masked(secret: string): string {
  return secret.length > 12 ? `…${secret.slice(-4)}` : '…'
}

/** A text without the credentials of URLs in it: user, password, and the values of the query. */
export function withoutCredentials(text: string): string {
  return text.replace(/\/\/[^/\s]*@/g, '//…@').replace(/([?&;][^=&;\s]*=)[^&;#\s]+/g, '$1…')
}

/** True if text with this shape is a secret, also if a section is allowed instead of it. */
export function isSecret(shape: Shape | undefined): boolean {
  return shape?.secret === true || shape?.anyOf?.some(isSecret) === true
}

type Wording = (shape: Shape) => string

const wordings: Readonly<Record<string, Wording>> = {
  string: ({ format, minLength = 0 }) => {
    if (format === 'uri') return 'a URL that starts with http:// or https://'
    return minLength > 1 ? `text of at least ${minLength} characters` : 'text'
  },
  integer: (shape) => `a whole number${range(shape)}`,
  number: (shape) => `a number${range(shape)}`,
  boolean: () => 'true or false',
  array: ({ items, minItems = 0 }) => {
    const least = minItems > 0 ? ` of at least ${minItems}` : ''
    return items === undefined || isContainer(items)
      ? `a list${least}`
      : `a list${least}: ${expectedText(items)}`
  },
  object: ({ properties }) => {
    const keys = Object.keys(properties ?? {})
    return keys.length > 0 ? `a section with ${keys.join(', ')}` : 'a section'
  },
}

function range({ minimum, maximum, exclusiveMinimum }: Shape): string {
  // zod adds the bounds of safe integers to every integer.
  const least = minimum === Number.MIN_SAFE_INTEGER ? undefined : minimum
  const most = maximum === Number.MAX_SAFE_INTEGER ? undefined : maximum
  if (exclusiveMinimum !== undefined)
    return ` above ${exclusiveMinimum}${most === undefined ? '' : `, at most ${most}`}`
  if (least !== undefined && most !== undefined) return ` from ${least} to ${most}`
  if (least !== undefined) return ` of at least ${least}`
  return most === undefined ? '' : ` of at most ${most}`
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'nothing'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list'
  if (isObject(value)) return 'a section'
  return typeof value === 'string' ? 'text' : `a ${typeof value}`
}

function characters(count: number): string {
  return count === 1 ? '1 character' : `${count} characters`
}

function shortened(text: string): string {
  return text.length > 80 ? `${text.slice(0, 79)}…` : text
}
