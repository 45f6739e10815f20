import * as z from 'zod'
import type { Path } from './report/problem.ts'

/** What a schema says of one place: the part of JSON Schema that is used here, and marks of our own. */
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
  /** From `.meta({ secret: true })`: what stands here, or below, is never shown. */
  readonly secret?: boolean
  /** From `.meta({ expected: '...' })`: what belongs here, where the schema alone does not say it well. */
  readonly expected?: string
  /** From `.meta({ exactText: true })`: text stays text, though a number could stand here as well. */
  readonly exactText?: boolean
}

/** What a schema takes, before defaults and transformations. */
export function inputShape(schema: z.ZodType): Shape {
  return z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Shape
}

/** What a schema gives. A transformed part has no shape. */
export function outputShape(schema: z.ZodType): Shape {
  return z.toJSONSchema(schema, { io: 'output', unrepresentable: 'any' }) as Shape
}

/** The shape at a place; undefined where the schema says nothing. All that is below a secret is one. */
export function shapeAt(root: Shape, path: Path): Shape | undefined {
  let shape: Shape | undefined = root
  for (const key of path) {
    const secret: boolean = shape?.secret === true
    const next: Shape | undefined = shape && below(shape, key)
    shape = secret ? { ...next, secret } : next
  }
  return shape
}

/** True when a value here is a section or a list, or when nothing is known of it. */
export function isContainer(shape: Shape | undefined): boolean {
  const types = typesOf(shape)
  return types.length === 0 ? shape?.enum === undefined : types.includes('object') || types.includes('array')
}

/** The JSON types a value here may have; none when the schema does not say. */
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
