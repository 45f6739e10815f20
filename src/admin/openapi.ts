import * as z from 'zod'
import type { AdminRoute } from './route.ts'

/** A JSON object of the OpenAPI document. */
type Document = { readonly [key: string]: unknown }

export type InferenceRoute = {
  readonly path: string
  readonly summary: string
  /** The JSON Schema of its request. */
  readonly request: Document
}

/** The OpenAPI 3.1 document of these operations, made from the schemas that validate them. */
export function openApi(
  version: string,
  routes: readonly AdminRoute[],
  inference: readonly InferenceRoute[],
): Document {
  const paths: Record<string, Record<string, Document>> = {}
  for (const one of routes) {
    const path = one.path.replace('{+', '{')
    paths[path] = { ...paths[path], [one.method]: operationOf({ ...one, path }) }
  }
  for (const one of inference) paths[one.path] = { ...paths[one.path], post: inferenceOf(one) }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Pandotate Gateway',
      version,
      description: 'Amounts are numbers of USD; each has an exact twin in whole nano-USD (1e-9 USD).',
    },
    servers: [{ url: '/' }],
    security: [{ bearer: [] }],
    paths,
    components: {
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } },
      schemas: { Error: schemaOf(errorSchema) },
    },
  }
}

const errorSchema = z.object({
  error: z.object({
    message: z.string(),
    type: z.string(),
    param: z.string().nullable(),
    code: z.string().nullable(),
  }),
})

function operationOf({
  method,
  path,
  tag,
  summary,
  role,
  query,
  body,
  status,
  answer,
}: AdminRoute): Document {
  return {
    operationId: nameOf(method, path),
    ...{ tags: [tag], summary },
    description:
      role === undefined ? 'Requires an API key.' : `Requires a management key with the role ${role}.`,
    parameters: [...pathParameters(path), ...queryParameters(query)],
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: json(schemaOf(body, 'input')) } }),
    responses: {
      [status]: { description: 'Done', content: json(schemaOf(answer)) },
      default: { description: 'An error', content: json({ $ref: '#/components/schemas/Error' }) },
    },
  }
}

function inferenceOf({ path, summary, request }: InferenceRoute): Document {
  const anything = { type: 'object', additionalProperties: true }
  return {
    operationId: nameOf('post', path),
    ...{ tags: ['inference'], summary },
    description: 'The body is that of the API it is named after; unknown fields are passed through.',
    requestBody: { required: true, content: json(request) },
    responses: {
      200: {
        description: 'The answer, whole or as server-sent events',
        content: { ...json(anything), 'text/event-stream': { schema: { type: 'string' } } },
      },
      default: { description: 'An error', content: json(anything) },
    },
  }
}

function pathParameters(path: string): readonly Document[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    ...{ name, in: 'path', required: true },
    schema: { type: 'string' },
  }))
}

function queryParameters(query: z.ZodObject | undefined): readonly Document[] {
  if (query === undefined) return []
  const { properties = {}, required = [] } = schemaOf(query, 'input') as {
    properties?: Record<string, Document>
    required?: readonly string[]
  }
  return Object.entries(properties).map(([name, schema]) => ({
    ...{ name, in: 'query', required: required.includes(name) },
    schema,
  }))
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output' = 'output'): Document {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io,
    unrepresentable: 'any',
    target: 'draft-2020-12',
  })
  return rest
}

function json(schema: Document): Document {
  return { 'application/json': { schema } }
}

/** `getAdminApiKeysHash` */
function nameOf(method: string, path: string): string {
  const words = path.split(/[^A-Za-z0-9]+/).filter((word) => word !== '')
  return method + words.map((word) => word[0]?.toUpperCase() + word.slice(1)).join('')
}
