import * as z from 'zod'
import type { Path } from './report/problem.ts'

/** The shape of one value by its schema: the parts of JSON Schema that are used here, and our own marks. */
export type Shape = {
  readonly type?: string | readonly string[]
  readonly properties?: Readonly<Record<string, Shape>>
  readonly required?: readonly string[]
  readonly additionalProperties?: Shape | boolean
  readonly propertyNames?: Shape
  readonly items?: Shape
  readonly anyOf?: readonly Shape[]
  readonly oneOf?: readonly Shape[]
  readonly allOf?: readonly Shape[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly default?: unknown
  readonly format?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: number
  readonly minLength?: number
  readonly minItems?: number
  /** From `.meta({ secret: true })`: this value, and everything below it, is never shown. */
  readonly secret?: boolean
  /** From `.meta({ expected: '...' })`: a description of valid values, if the schema alone is not clear. */
  readonly expected?: string
  /** From `.meta({ exactText: true })`: text stays text, even if it looks like a number. */
  readonly exactText?: boolean
}

/** The input of a schema, before defaults and transformations. */
export function inputShape(schema: z.ZodType): Shape {
  return z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Shape
}

/** The output of a schema. A transformed part has no shape. */
export function outputShape(schema: z.ZodType): Shape {
  return z.toJSONSchema(schema, { io: 'output', unrepresentable: 'any' }) as Shape
}

/** The shape at a path; undefined if the schema has none. Everything below a secret is a secret. */
export function shapeAt(root: Shape, path: Path): Shape | undefined {
  let shape: Shape | undefined = root
  for (const key of path) {
    const secret: boolean = shape?.secret === true
    const next: Shape | undefined = shape && below(shape, key)
    shape = secret ? { ...next, secret } : next
  }
  return shape
}

/** True if a value here is a section or a list, or if nothing is known about it. */
export function isContainer(shape: Shape | undefined): boolean {
  const types = typesOf(shape)
  return types.length === 0 ? shape?.enum === undefined : types.includes('object') || types.includes('array')
}

/** The JSON types that a value here may have; empty if the schema does not say. */
export function typesOf(shape: Shape | undefined): readonly string[] {
  if (shape === undefined) return []
  if (shape.type !== undefined) return [shape.type].flat()
  return branches(shape).flatMap(typesOf)
}

function below(shape: Shape, key: string | number): Shape | undefined {
  if (typeof key === 'number' && shape.items !== undefined) return shape.items
  const properties = shape.properties ?? {}
  if (Object.hasOwn(properties, key)) return properties[key]
  if (typeof shape.additionalProperties === 'object') return shape.additionalProperties
  const found = branches(shape).flatMap((branch) => below(branch, key) ?? [])
  return found.find(({ secret }) => secret) ?? found[0]
}

function branches(shape: Shape): readonly Shape[] {
  return [...(shape.anyOf ?? []), ...(shape.oneOf ?? []), ...(shape.allOf ?? [])]
}
