import { isObject, type JsonObject } from '../../core/model/json/json.ts'

/**
 * Arguments that match the types of a tool's JSON Schema. All properties are set; strings are "x" and numbers are 1.
 */
export function argumentsFor(parameters: unknown): JsonObject {
  return isObject(parameters) ? objectFor(parameters) : {}
}

/** Splits the JSON text of arguments into small fragments, as a model streams them. */
export function splitArguments(values: JsonObject): readonly string[] {
  return JSON.stringify(values).match(/.{1,8}/gsu) ?? []
}

function objectFor(schema: JsonObject): JsonObject {
  const properties = schema['properties']
  if (!isObject(properties)) return {}
  return Object.fromEntries(Object.entries(properties).map(([name, inner]) => [name, valueFor(inner)]))
}

function valueFor(schema: unknown): unknown {
  if (!isObject(schema)) return 'x'
  if ('const' in schema) return schema['const']
  const [allowed] = listIn(schema, 'enum')
  if (allowed !== undefined) return allowed
  const [alternative] = [...listIn(schema, 'anyOf'), ...listIn(schema, 'oneOf'), ...listIn(schema, 'allOf')]
  if (alternative !== undefined) return valueFor(alternative)
  return valueOfType(typeIn(schema), schema)
}

function listIn(schema: JsonObject, key: string): readonly unknown[] {
  const list = schema[key]
  return Array.isArray(list) ? list : []
}

function typeIn(schema: JsonObject): unknown {
  const type = schema['type']
  if (Array.isArray(type)) return type.find((one) => one !== 'null')
  return type ?? (isObject(schema['properties']) ? 'object' : 'string')
}

function valueOfType(type: unknown, schema: JsonObject): unknown {
  switch (type) {
    case 'number':
    case 'integer':
      return 1
    case 'boolean':
      return true
    case 'null':
      return null
    case 'array':
      return [valueFor(schema['items'])]
    case 'object':
      return objectFor(schema)
    default:
      return 'x'
  }
}
