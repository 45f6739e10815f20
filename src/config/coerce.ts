import { isObject } from '../core/model/json/json.ts'
import { type Shape, shapeAt, typesOf } from './shape.ts'
import { strictNumber } from './source/environment.ts'

/**
 * Converts the content to the types of the schema. Text (as in the environment) becomes a number or boolean if it is
 * exactly one. A section that contains only comments is removed.
 */
export function readAs(shape: Shape | undefined, value: unknown): unknown {
  if (shape === undefined) return value
  if (Array.isArray(value)) return value.map((item, index) => readAs(shapeAt(shape, [index]), item))
  if (isObject(value)) return readSection(shape, Object.entries(value))
  if (value === null && typesOf(shape).includes('object')) return {}
  return typeof value === 'string' ? readText(shape, value) : value
}

function readSection(shape: Shape, entries: readonly [string, unknown][]): Record<string, unknown> {
  const kept = entries.filter(([key, value]) => !isEmptySection(shape.properties?.[key], value))
  return Object.fromEntries(kept.map(([key, value]) => [key, readAs(shapeAt(shape, [key]), value)]))
}

function isEmptySection(shape: Shape | undefined, value: unknown): boolean {
  return value === null && typesOf(shape).includes('object')
}

function readText(shape: Shape, text: string): unknown {
  const types = typesOf(shape)
  if (shape.exactText) return text
  if (types.includes('boolean') && (text === 'true' || text === 'false')) return text === 'true'
  if (!types.includes('integer') && !types.includes('number')) return text
  const number = strictNumber(text)
  return Number.isNaN(number) ? text : number
}
