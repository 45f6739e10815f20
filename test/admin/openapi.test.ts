import { Validator } from '@seriousme/openapi-schema-validator'
import { expect, test } from 'vitest'
import { startTestGateway } from '../harness/gateway.ts'

test('the description is OpenAPI 3.1, by a validator of others, and has every operation', async () => {
  await using gateway = await startTestGateway()
  const response = await fetch(`${gateway.url}/openapi.json`)
  const document = (await response.json()) as Described
  const validator = new Validator()
  expect(await validator.validate(document)).toEqual({ valid: true })
  expect(validator.version).toBe('3.1')
  expect(Object.keys(document.paths)).toEqual(
    expect.arrayContaining([
      ...['/admin/api/keys', '/admin/api/keys/{hash}', '/admin/api/keys/{hash}/rotate', '/admin/api/teams'],
      ...['/admin/api/calls/{id}/settle', '/admin/api/users/{id}', '/v1/key', '/v1/chat/completions'],
      ...['/v1/messages', '/v1/responses', '/v1/embeddings', '/inference'],
    ]),
  )
})

test('the requests of calls are described by the schemas that validate them', async () => {
  await using gateway = await startTestGateway()
  const { paths } = (await (await fetch(`${gateway.url}/openapi.json`)).json()) as Described
  const bodyOf = (path: string) => paths[path]?.post?.requestBody?.content['application/json'].schema
  const integer = { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER }
  expect(bodyOf('/v1/chat/completions')).toMatchObject({
    ...{ type: 'object', required: ['messages'], additionalProperties: true },
    properties: {
      model: { anyOf: [{ type: 'string' }, { type: 'null' }] },
      messages: { type: 'array' },
      max_tokens: { anyOf: [integer, { type: 'null' }] },
    },
  })
  expect(bodyOf('/v1/embeddings')).toMatchObject({ required: ['input'] })
  expect(bodyOf('/v1/rerank')).toMatchObject({
    required: ['query', 'documents'],
    properties: { documents: { type: 'array' }, top_n: { anyOf: [{ minimum: 1 }, { type: 'null' }] } },
  })
  expect(bodyOf('/v1/messages')).toMatchObject({ required: ['messages'], properties: { system: {} } })
  expect(bodyOf('/v1/responses')).toMatchObject({ properties: { max_output_tokens: {} } })
  expect(bodyOf('/inference')).toMatchObject({ required: ['model'], properties: { logprobs: {} } })
})

type Described = {
  readonly paths: Record<
    string,
    { readonly post?: { readonly requestBody?: { content: { 'application/json': { schema: object } } } } }
  >
}
