import { AzureOpenAI } from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openaiCompatible } from '../../../src/providers/openai/openai-compatible.ts'
import { simulateTogether } from '../../../src/simulator/together/together.ts'
import { startTestGateway, type TestGateway } from '../../harness/gateway.ts'
import { rawRequest } from '../../harness/raw-request.ts'

const key = 'a-key-of-the-gateway'
const bearing = { 'api-key': key }

let gateway: TestGateway
beforeAll(async () => {
  gateway = await startTestGateway({ keys: [key] })
})
afterAll(() => gateway[Symbol.asyncDispose]())

const clientOf = (options: { deployment?: string } = {}) =>
  new AzureOpenAI({
    endpoint: gateway.url,
    apiKey: key,
    apiVersion: '2024-10-21',
    maxRetries: 0,
    ...options,
  })

describe('Azure’s own client', () => {
  test('gets a chat, whole and streamed, and a completion', async () => {
    const client = clientOf()
    const messages = [{ role: 'user' as const, content: 'to Azure' }]
    const whole = await client.chat.completions.create({ model: 'sim-echo', messages })
    expect(whole.choices[0]?.message.content).toContain('to Azure')
    const stream = await client.chat.completions.create({ model: 'sim-echo', messages, stream: true })
    let text = ''
    for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? ''
    expect(text).toContain('to Azure')
    const completion = await client.completions.create({ model: 'sim-echo', prompt: 'a text' })
    expect(completion.choices[0]?.text).toBe('a text')
  })

  test('has what it does not scope by deployment', async () => {
    const client = clientOf()
    const response = await client.responses.create({ model: 'sim-echo', input: 'a response' })
    expect(response.output_text).toContain('a response')
    expect((await client.models.list()).data.map(({ id }) => id)).toContain('sim-echo')
  })

  test('names the deployment once and for all, with slashes', async () => {
    const client = clientOf({ deployment: 'team/model of ours' })
    const asked = { model: 'another', prompt: 'whose?' }
    expect((await client.completions.create(asked)).model).toBe('team/model of ours')
  })

  test('raises its own error for a wrong key', async () => {
    const client = clientOf().withOptions({ apiKey: 'a-key-of-somebody-else' })
    await expect(client.completions.create({ model: 'sim-echo', prompt: 'p' })).rejects.toMatchObject({
      status: 401,
      code: 'invalid_api_key',
    })
  })
})

describe('The model of a path', () => {
  test.for([
    ['mistral-7b', 'mistral-7b'],
    ['team%2Fmodel%20of%20ours', 'team/model of ours'],
    ['team/model', 'team/model'],
    ['team%2Fchat', 'team/chat'],
    ['model%252F', 'model%2F'],
  ] as const)('is asked for whatever the body says: %s', async ([encoded, model]) => {
    for (const body of [
      '{"prompt":"p"}',
      '{"model":"sim-status-500","prompt":"p"}',
      '{"model":null,"prompt":"p"}',
    ]) {
      const path = `/openai/deployments/${encoded}/completions?api-version=2024-10-21`
      const answer = await rawRequest(gateway.url, 'POST', path, bearing, body)
      expect(answer.status).toBe(200)
      expect(JSON.parse(answer.body)).toMatchObject({ model })
    }
  })

  test('is not found if it cannot be decoded, and still requires a key', async () => {
    const path = '/openai/deployments/%zz/completions'
    expect(await rawRequest(gateway.url, 'POST', path, bearing, '{"prompt":"p"}')).toMatchObject({
      status: 404,
      body: expect.stringContaining('model_not_found'),
    })
    const known = '/openai/deployments/sim-echo/completions'
    expect((await rawRequest(gateway.url, 'POST', known, {}, '{"prompt":"p"}')).status).toBe(401)
  })

  test('is all that changes of a body: it arrives as it was sent where the two agree', async () => {
    await using together = await simulateTogether({ host: '127.0.0.1', port: 0 })
    await using near = await startTestGateway({
      providers: [
        {
          name: 'local',
          type: 'openai-compatible',
          settings: openaiCompatible.settings.parse({
            baseUrl: `${together.origin}/v1`,
            apiKey: 'unused-key',
          }),
        },
      ],
      routes: [{ pattern: '*', strategy: 'fallback', deployments: [{ provider: 'local' }] }],
    })
    const model = 'intfloat/multilingual-e5-large-instruct'
    const same = `{ "model": "${model}",  "input": ["p"], "huge": 12345678901234567890 }`
    const other = '{"input":["p"],"huge":12345678901234567890}'
    for (const body of [same, other]) {
      await rawRequest(near.url, 'POST', `/openai/deployments/${model}/embeddings`, {}, body)
    }
    expect(together.requests.map(({ body }) => body)).toEqual([
      same,
      `{"input":["p"],"huge":12345678901234567890,"model":"${model}"}`,
    ])
  })
})

test.for([
  ['GET', '/openai/deployments/m/completions', 405],
  ['OPTIONS', '/openai/deployments/m/completions', 200],
  ['GET', '/openai/v1/models/sim-echo', 200],
  ['POST', '/openai/deployments/m/nothing', 404],
  ['POST', '/openai/deployments/completions', 404],
  ['POST', '/openai/deployments//completions', 404],
  ['GET', '/openai/deployments', 404],
  ['GET', '/openai/', 404],
  ['GET', '/openai', 404],
  ['GET', '/openai/admin/api/deployments', 404],
] as const)('%s %s is %i', async ([method, path, status]) => {
  expect((await rawRequest(gateway.url, method, path, bearing)).status).toBe(status)
})

test.for([
  ['GET', '/openai/deployments/m/completions'],
  ['GET', '/openai/v1/embeddings'],
  ['POST', '/openai/nothing'],
] as const)('%s %s is refused by the path that was requested', async ([method, path]) => {
  const { body } = await rawRequest(gateway.url, method, `${path}?api-version=1&key=secret`, bearing)
  const { message } = JSON.parse(body).error
  expect(message).toContain(`${path}.`)
  expect(message).not.toContain('secret')
})
