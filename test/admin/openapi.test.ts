import { Validator } from '@seriousme/openapi-schema-validator'
import { expect, test } from 'vitest'
import { startTestGateway } from '../harness/gateway.ts'

test('the description is OpenAPI 3.1, by a validator of others, and has every operation', async () => {
  await using gateway = await startTestGateway()
  const response = await fetch(`${gateway.url}/openapi.json`)
  const document = (await response.json()) as { paths: Record<string, object> }
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
