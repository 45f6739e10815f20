import * as z from 'zod'
import type { JsonObject } from '../../core/model/json/json.ts'
import type { RequestShape } from './dialect.ts'
import { elementOf } from './schemas.ts'

/** The JSON Schema of a request, for the description of the API. Null counts as absent; unknown fields are passed through. */
export function describeRequest({ fields, required }: RequestShape): JsonObject {
  const properties = Array.from(fields, ([name, schema]): [string, JsonObject] => [
    name,
    required.includes(name) ? schemaOf(schema) : orNull(schemaOf(schema)),
  ])
  return {
    ...{ type: 'object', properties: Object.fromEntries(properties) },
    ...{ required: [...required], additionalProperties: true },
  }
}

function orNull(schema: JsonObject): JsonObject {
  return Object.keys(schema).length === 0 ? schema : { anyOf: [schema, { type: 'null' }] }
}

function schemaOf(schema: z.ZodType): JsonObject {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    ...{ io: 'input', unrepresentable: 'any', target: 'draft-2020-12' },
    override: ({ jsonSchema }) => describeElements(jsonSchema),
  })
  return rest as JsonObject
}

/** Lists check their elements themselves, and have the schema of these in their metadata. */
function describeElements(jsonSchema: Record<string, unknown>): void {
  const element = jsonSchema[elementOf]
  if (!(element instanceof z.ZodType)) return
  delete jsonSchema[elementOf]
  Object.assign(jsonSchema, { type: 'array', items: schemaOf(element) })
}
