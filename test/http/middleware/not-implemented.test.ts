import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestGateway, type TestGateway } from '../../harness/gateway.ts'
import { rawRequest } from '../../harness/raw-request.ts'

let gateway: TestGateway
beforeAll(async () => {
  gateway = await startTestGateway()
})
afterAll(() => gateway[Symbol.asyncDispose]())

const unserved: readonly (readonly [string, string, RegExp])[] = [
  ['POST', '/images/generations', /images/],
  ['POST', '/images/edits', /images/],
  ['POST', '/videos', /videos/],
  ['POST', '/audio/speech', /audio/],
  ['POST', '/audio/transcriptions', /audio/],
  ['GET', '/files', /files/],
  ['DELETE', '/files/file-1', /files/],
  ['POST', '/uploads', /uploads/],
  ['POST', '/batches', /batches/],
  ['POST', '/fine_tuning/jobs', /fine-tuning/],
  ['POST', '/assistants', /assistants/],
  ['POST', '/threads/thread_1/runs', /threads/],
  ['POST', '/moderations', /moderations/],
  ['GET', '/realtime?model=m', /realtime/],
  ['POST', '/vector_stores/vs_1/search', /vector stores/],
  ['POST', '/containers', /containers/],
  ['POST', '/conversations', /conversations/],
  ['POST', '/evals', /evals/],
  ['POST', '/edits', /edits/],
  ['POST', '/engines/m/completions', /engines/],
  ['GET', '/chat/completions', /stored chats/],
  ['GET', '/chat/completions/chatcmpl-1', /stored chats/],
  ['DELETE', '/models/ft:m:acme:suffix:abc', /deletion/],
  ['POST', '/responses/input_tokens', /count/],
  ['POST', '/responses/compact', /compaction/],
  ['PUT', '/responses/compact', /compaction/],
  ['POST', '/responses/resp_1/cancel', /background/],
]

describe.for(['/v1', '/inference', '/inference/v1', '/openai/v1', '/openai', '/openai/deployments/m'])(
  'What OpenAI has and the gateway has not is a 501 that names it, under %s',
  (prefix) => {
    const isNamed = prefix.endsWith('/m')
    // Below a deployment, this one is a name with slashes in it.
    const below = unserved.filter(([, path]) => !(isNamed && path.startsWith('/engines')))
    test.for(below)('%s %s', async ([method, path, says]) => {
      const { status, headers, body } = await rawRequest(gateway.url, method, prefix + path, {}, '{}')
      expect(status).toBe(501)
      expect(headers).toMatchObject({
        'content-type': 'application/json',
        'x-request-id': expect.stringMatching(/^req_/),
        'x-should-retry': 'false',
      })
      expect(headers).not.toHaveProperty('allow')
      const { error } = JSON.parse(body)
      expect(error).toEqual({
        message: expect.stringMatching(says),
        type: 'invalid_request_error',
        param: null,
        code: 'not_implemented',
      })
    })
  },
)

test.for([
  '/v1/image',
  '/v1/filesystem',
  '/v1/nothing',
  '/v2/images/generations',
  '/images/generations',
  '/v1/nothing/files',
  '/v1//files',
  '/v1/responses/resp_1/cancelled',
  '/v1/responses/compact/cancel/again',
])('A path that is nobody’s is a 404: %s', async (path) => {
  const { status, body } = await rawRequest(gateway.url, 'POST', path, {}, '{}')
  expect(status).toBe(404)
  expect(JSON.parse(body).error).toMatchObject({
    code: 'unknown_url',
    message: expect.stringContaining(path),
  })
})

test('HEAD is told so, too, without a body', async () => {
  expect(await rawRequest(gateway.url, 'HEAD', '/v1/files')).toMatchObject({ status: 501, body: '' })
})

test('OpenAI’s own client asks once', async () => {
  let asked = 0
  const client = new OpenAI({
    baseURL: `${gateway.url}/v1`,
    apiKey: 'unused',
    fetch: (...request) => {
      asked++
      return fetch(...request)
    },
  })
  await expect(client.images.generate({ model: 'm', prompt: 'a cat' })).rejects.toMatchObject({
    status: 501,
    code: 'not_implemented',
  })
  expect(asked).toBe(1)
})

test('A response with such a name is still looked up', async () => {
  const { status, body } = await rawRequest(gateway.url, 'GET', '/v1/responses/compact')
  expect(status).toBe(404)
  expect(JSON.parse(body).error.message).toBe("Response with id 'compact' not found.")
})
