import OpenAI, {
  APIConnectionError,
  APIConnectionTimeoutError,
  APIError,
  AuthenticationError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
  RateLimitError,
} from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { deadUrl, startHeldUpstream } from '../held-upstream.ts'
import { createClient, type PandotateStack, startBefore, startStack } from '../stack.ts'

let stack: PandotateStack
let client: OpenAI
beforeAll(async () => {
  stack = await startStack({ environment: { PANDOTATE_RETRIES: '0' } })
  client = createClient(stack)
})
afterAll(() => stack[Symbol.asyncDispose]())

type Case = {
  readonly name: string
  readonly ask: (client: OpenAI) => Promise<unknown>
  readonly raises: new (...words: never[]) => APIError
  readonly as: object
}

const said = [{ role: 'user' as const, content: 'hello' }]
const complete = (model: string) => (client: OpenAI) => client.completions.create({ model, prompt: 'hello' })

const cases: readonly Case[] = [
  {
    name: 'a prompt of the wrong type',
    ask: (client) => client.completions.create({ model: 'm', prompt: 5 as never }),
    raises: BadRequestError,
    as: { status: 400, param: 'prompt', code: 'invalid_type', type: 'invalid_request_error' },
  },
  {
    name: 'no prompt',
    ask: (client) => client.completions.create({ model: 'm', prompt: null }),
    raises: BadRequestError,
    as: { status: 400, param: 'prompt', code: 'missing_required_parameter' },
  },
  {
    name: 'a message without a role',
    ask: (client) => client.chat.completions.create({ model: 'm', messages: [{ content: 'x' } as never] }),
    raises: BadRequestError,
    as: { status: 400, param: 'messages[0].role', code: 'missing_required_parameter' },
  },
  {
    name: 'a temperature past its bound',
    ask: (client) => client.chat.completions.create({ model: 'm', messages: said, temperature: 3 }),
    raises: BadRequestError,
    as: { status: 400, param: 'temperature', code: 'decimal_above_max_value' },
  },
  {
    name: 'tools, which Pandotate has not',
    ask: (client) =>
      client.chat.completions.create({
        model: 'm',
        messages: said,
        tools: [{ type: 'function', function: { name: 'f' } }],
      }),
    raises: BadRequestError,
    as: { status: 400, param: 'tools', code: 'unsupported_parameter' },
  },
  {
    name: 'a schema, which Pandotate cannot hold to',
    ask: (client) =>
      client.chat.completions.parse({
        model: 'm',
        messages: said,
        response_format: { type: 'json_schema', json_schema: { name: 'x', schema: {} } },
      }),
    raises: BadRequestError,
    as: { status: 400, param: 'response_format', code: 'unsupported_parameter' },
  },
  {
    name: 'logprobs, which Pandotate has not',
    ask: (client) => client.completions.create({ model: 'm', prompt: 'x', logprobs: 2 }),
    raises: BadRequestError,
    as: { status: 400, param: 'logprobs', code: 'unsupported_parameter' },
  },
  {
    name: 'a suffix, which Pandotate has not',
    ask: (client) => client.completions.create({ model: 'm', prompt: 'x', suffix: 'y' }),
    raises: BadRequestError,
    as: { status: 400, param: 'suffix', code: 'unsupported_parameter' },
  },
  {
    name: 'the best of several in a stream',
    ask: (client) => client.completions.create({ model: 'm', prompt: 'x', best_of: 2, stream: true }),
    raises: BadRequestError,
    as: { status: 400, param: 'best_of' },
  },
  {
    name: 'more choices than are allowed',
    ask: (client) => client.completions.create({ model: 'm', prompt: ['a', 'b', 'c'], n: 128 }),
    raises: BadRequestError,
    as: { status: 400, param: 'n' },
  },
  {
    name: 'a path nobody serves',
    ask: (client) => client.get('/nonsense'),
    raises: NotFoundError,
    as: { status: 404, code: 'unknown_url' },
  },
  {
    name: 'embeddings of an upstream that has none',
    ask: (client) => client.embeddings.create({ model: 'm', input: 'x' }),
    raises: BadRequestError,
    as: { status: 400, code: 'unsupported_endpoint' },
  },
  {
    name: 'a path that is not served',
    ask: (client) => client.get('/nowhere'),
    raises: NotFoundError,
    as: { status: 404, code: 'unknown_url' },
  },
  {
    name: 'a model the upstream has not',
    ask: complete('sim-status-404'),
    raises: NotFoundError,
    as: { status: 404, param: 'model', code: 'model_not_found' },
  },
  {
    name: 'a request the upstream refuses',
    ask: complete('sim-status-400'),
    raises: BadRequestError,
    as: { status: 400 },
  },
  {
    name: 'an upstream that wants other words',
    ask: complete('sim-status-422'),
    raises: BadRequestError,
    as: { status: 400 },
  },
  {
    name: 'an upstream at its limit',
    ask: complete('sim-ratelimit-7'),
    raises: RateLimitError,
    as: { status: 429, code: 'rate_limit_exceeded' },
  },
  {
    name: 'an upstream that fails',
    ask: complete('sim-status-500'),
    raises: InternalServerError,
    as: { status: 502, code: 'upstream_error' },
  },
  {
    name: 'an upstream that is overloaded',
    ask: complete('sim-status-503'),
    raises: InternalServerError,
    as: { status: 503, code: 'server_is_overloaded' },
  },
  {
    name: 'half an answer',
    ask: complete('sim-cut-5'),
    raises: InternalServerError,
    as: { status: 502, code: 'upstream_stream_interrupted' },
  },
  {
    name: 'a key of the gateway’s that is refused',
    ask: complete('sim-status-401'),
    raises: InternalServerError,
    as: { status: 502, code: 'upstream_auth_error' },
  },
]

describe.for(cases)('$name', ({ ask, raises, as }) => {
  test('is raised as the right class, and says where', async () => {
    const thrown = await ask(client).catch((error: unknown) => error)
    expect(thrown).toBeInstanceOf(raises)
    expect(thrown).toMatchObject(as)
    expect(thrown).toMatchObject({ requestID: expect.stringMatching(/^req_[0-9a-f]{32}$/) })
  })
})

test('a limit tells when to come back', async () => {
  const thrown = await complete('sim-ratelimit-7')(client).catch((error: unknown) => error)
  const { headers, message } = thrown as RateLimitError
  expect(headers.get('retry-after')).toBe('7')
  expect(headers.get('retry-after-ms')).toBe('7000')
  expect(message).toContain('try again in 7s')
  expect(message).not.toMatch(/quota|billing/)
})

describe('silence', () => {
  test('is a 504, of a stream too', async () => {
    await using impatient = await startBefore(stack.pandotateUrl, {
      environment: { PANDOTATE_TIMEOUT: '0.3' },
    })
    const near = createClient(impatient)
    for (const stream of [false, true]) {
      const asked = near.completions.create({ model: 'sim-stall-0', prompt: 'x', stream })
      const thrown = await asked.catch((error: unknown) => error)
      expect(thrown).toBeInstanceOf(InternalServerError)
      expect(thrown).toMatchObject({ status: 504, code: 'upstream_timeout' })
    }
  })

  test('longer than the client’s own patience is the client’s to end', async () => {
    await using upstream = await startHeldUpstream()
    await using near = await startBefore(upstream.url)
    const asked = createClient(near, { timeout: 2000 }).completions.create({ model: 'm', prompt: 'x' })
    await expect(asked).rejects.toThrow(APIConnectionTimeoutError)
    const line = await near.gateway.line(({ outcome }) => outcome === 'left')
    expect(line['status']).toBe(499)
  })
})

test('a gateway that is not there is a connection error', async () => {
  const nobody = new OpenAI({ baseURL: await deadUrl(), apiKey: 'x', maxRetries: 0 })
  await expect(nobody.completions.create({ model: 'm', prompt: 'x' })).rejects.toThrow(APIConnectionError)
})

describe('keys', () => {
  const key = 'sk-gateway-0123456789'
  const file = `auth: { keys: ['${key}'] }`

  test('that are wrong or missing are an authentication error', async () => {
    await using guarded = await startBefore(stack.pandotateUrl, { file })
    for (const apiKey of ['sk-wrong-key-of-a-caller', 'pk_of_a_caller']) {
      const asked = complete('sim-echo')(createClient(guarded, { apiKey }))
      const thrown = await asked.catch((error: unknown) => error)
      expect(thrown).toBeInstanceOf(AuthenticationError)
      expect(thrown).toMatchObject({ status: 401, code: 'invalid_api_key' })
    }
    const completion = await createClient(guarded, { apiKey: key }).completions.create({
      model: 'sim-echo',
      prompt: 'let in',
    })
    expect(completion.choices[0]?.text).toBe('let in')
  })
})

describe('another try', () => {
  test('of the client’s own brings the answer at last', async () => {
    const before = stack.witness.seen.length
    const patient = createClient(stack, { maxRetries: 2 })
    const completion = await patient.completions.create({ model: 'sim-flaky-2-echo', prompt: 'third time' })
    expect(completion.choices[0]?.text).toBe('third time')
    expect(stack.witness.seen.slice(before).map(({ status }) => status)).toEqual([503, 503, 200])
  })

  test('of the gateway’s is not noticed by the client', async () => {
    await using retrying = await startBefore(stack.pandotateUrl)
    const asked = createClient(retrying).completions.create({ model: 'sim-flaky-1-echo', prompt: 'unseen' })
    const { data, response } = await asked.withResponse()
    expect(data.choices[0]?.text).toBe('unseen')
    expect(response.headers.get('x-pandotate-attempts')).toBe('2')
    expect(retrying.witness.seen).toHaveLength(1)
  })

  test('is not made by the client of what cannot get better', async () => {
    const before = stack.witness.seen.length
    const eager = createClient(stack, { maxRetries: 5 })
    await expect(eager.completions.create({ model: 'sim-status-400', prompt: 'x' })).rejects.toThrow(APIError)
    expect(stack.witness.seen.slice(before)).toHaveLength(1)
  })
})
