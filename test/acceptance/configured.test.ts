import { NotFoundError } from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ask } from './ask.ts'
import { runShell, shellEnvironment } from './child.ts'
import { startGateway } from './gateway-process.ts'
import { startHeldUpstream } from './held-upstream.ts'
import { createClient, type PandotateStack, type Stack, startBefore, startStack } from './stack.ts'

let stack: PandotateStack
beforeAll(async () => {
  stack = await startStack({ environment: { SLOW_THRESHOLD_MS: '60000' } })
})
afterAll(() => stack[Symbol.asyncDispose]())

describe('models of gateway.yaml', () => {
  const file = `
providers:
  pandotate: {}
  spare: { type: simulator }
models:
  team/fast:
    deployments: [{ provider: pandotate, model: sim-echo }]
  team/safe:
    deployments:
      - { provider: pandotate, model: sim-status-500, retries: 0 }
      - { provider: spare, model: sim-echo }
  'sim-*':
    deployments: [{ provider: pandotate }]
`
  let configured: Stack
  beforeAll(async () => {
    configured = await startBefore(stack.pandotateUrl, { file })
  })
  afterAll(() => configured[Symbol.asyncDispose]())

  test('are listed, and can be looked up', async () => {
    const client = createClient(configured)
    const ids = (await client.models.list()).data.map(({ id }) => id)
    expect(ids).toEqual(['team/fast', 'team/safe'])
    expect(await client.models.retrieve('team/fast')).toMatchObject({ owned_by: 'pandotate' })
    expect(await client.models.retrieve('sim-slow-5')).toMatchObject({ id: 'sim-slow-5' })
    await expect(client.models.retrieve('other')).rejects.toThrow(NotFoundError)
  })

  test('are asked for by the name they have upstream', async () => {
    const answer = await ask(configured, '/v1/completions', { model: 'team/fast', prompt: 'by another name' })
    expect(answer.body).toMatchObject({ choices: [{ text: 'by another name' }] })
    expect(answer.headers.get('x-pandotate-deployment')).toBe('sim-echo@pandotate')
  })

  test.for([false, true])(
    'go to their second deployment when the first fails (stream: %s)',
    async (stream) => {
      const asked = { model: 'team/safe', prompt: 'from elsewhere' }
      const client = createClient(configured)
      let text = ''
      if (stream) {
        for await (const chunk of await client.completions.create({ ...asked, stream })) {
          text += chunk.choices[0]?.text ?? ''
        }
      } else text = (await client.completions.create(asked)).choices[0]?.text ?? ''
      expect(text).toBe('from elsewhere')
      const { headers } = configured.witness.seen.at(-1) ?? {}
      expect(headers?.get('x-pandotate-provider')).toBe('spare')
      expect(headers?.get('x-pandotate-attempts')).toBe('2')
      const { attempts } = await configured.gateway.record(headers?.get('x-request-id'))
      expect(attempts.map(({ outcome }) => outcome)).toEqual(['upstream_error', 'ok'])
    },
  )

  test.for(['/v1/completions', '/v1/chat/completions', '/inference'])(
    'are the only ones: another model is a 404 at %s, before a stream begins and without an upstream call',
    async (path) => {
      await using upstream = await startHeldUpstream()
      await using near = await startBefore(upstream.url, { file })
      const messages = [{ role: 'user', content: 'x' }]
      const wanted = path === '/v1/chat/completions' ? { messages, prompt: undefined } : {}
      const answer = await ask(near, path, { model: 'unheard-of', stream: true, ...wanted })
      expect(answer.status).toBe(404)
      expect(answer.headers.get('content-type')).toBe('application/json')
      expect(answer.headers.get('x-pandotate-attempts')).toBe('0')
      if (path !== '/inference') {
        expect(answer.body).toMatchObject({ error: { code: 'model_not_found', param: 'model' } })
      }
      expect(upstream.requests).toEqual([])
    },
  )
})

describe('keys of gateway.yaml', () => {
  const key = 'sk-gateway-0123456789'
  let guarded: Stack
  beforeAll(async () => {
    const file = `auth: { keys: ['${key}', 'sk-another-0123456789'] }`
    guarded = await startBefore(stack.pandotateUrl, { file })
  })
  afterAll(() => guarded[Symbol.asyncDispose]())

  const get = (path: string, headers: Record<string, string> = {}) =>
    fetch(guarded.gateway.url + path, { headers })

  test.for(['/v1/models', '/v1/models/m', '/inference/models'])('are asked for at %s', async (path) => {
    expect((await get(path)).status).toBe(401)
    expect((await get(path, { authorization: 'Bearer sk-wrong-0123456789' })).status).toBe(401)
    expect((await get(path, { authorization: `Basic ${key}` })).status).toBe(401)
    for (const known of [key, 'sk-another-0123456789']) {
      expect((await get(path, { authorization: `Bearer ${known}` })).status).toBe(200)
    }
  })

  test.for(['/v1/completions', '/v1/chat/completions', '/inference'])('are asked for at %s', async (path) => {
    const missing = await ask(guarded, path, {})
    expect(missing.status).toBe(401)
    const wrong = await ask(guarded, path, {}, { authorization: 'Bearer sk-wrong-0123456789' })
    expect(wrong.status).toBe(401)
    expect(JSON.stringify(wrong.body)).not.toContain('sk-wrong')
  })

  test.for(['authorization', 'api-key', 'x-api-key'])('are taken from the header %s', async (name) => {
    const value = name === 'authorization' ? `bearer ${key}` : key
    expect((await ask(guarded, '/v1/completions', {}, { [name]: value })).status).toBe(200)
  })

  test.for(['/livez', '/readyz', '/health'])('are not asked for at %s', async (path) => {
    expect((await get(path)).status).toBe(200)
  })

  test('are asked for before a body is read, be it wrong or right', async () => {
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(`${guarded.gateway.url}/v1/completions`, {
      method: 'POST',
      headers,
      body: '{',
    })
    expect(answer.status).toBe(401)
  })
})

describe('lenient by default', () => {
  // What the official SDKs' own tests send, and OpenAI's server refuses.
  const lenient: readonly (readonly [path: string, body: object])[] = [
    ['/v1/completions', { stream: false, stream_options: { include_usage: true } }],
    ['/v1/completions', { best_of: 0, echo: true, logit_bias: { foo: 0 }, seed: null, stop: null, n: null }],
    ['/v1/completions', { top_k: 5, min_p: 0.1, some_new_field: { deep: [1] } }],
    ['/v1/completions', { stop: ['a', 'b', 'c', 'd', '\nuser:'] }],
    ['/v1/completions', { logprobs: null, suffix: null, max_tokens: null }],
    ['/v1/chat/completions', { max_tokens: 0, reasoning_effort: 'maximal', service_tier: 'on_demand' }],
  ]

  test.for(lenient)('%s takes %o', async ([path, body]) => {
    const messages = [
      { role: 'developer', name: 'me', content: 'x' },
      { role: 'user', content: 'y' },
    ]
    const answer = await ask(
      stack,
      path,
      path.includes('chat') ? { messages, prompt: undefined, ...body } : body,
    )
    expect(answer.status).toBe(200)
  })
})

describe('strict: true', () => {
  let strict: Stack
  beforeAll(async () => {
    strict = await startBefore(stack.pandotateUrl, { file: 'strict: true' })
  })
  afterAll(() => strict[Symbol.asyncDispose]())

  test.for<[string, object, string]>([
    ['stream options without a stream', { stream_options: { include_usage: true } }, 'stream_options'],
    ['an unknown field', { top_k: 5 }, 'top_k'],
    ['a fifth stop string', { stop: ['a', 'b', 'c', 'd', 'e'] }, 'stop'],
    ['fewer candidates than choices', { n: 2, best_of: 1 }, 'best_of'],
  ])('refuses %s, as OpenAI does', async ([, body, param]) => {
    const answer = await ask(strict, '/v1/completions', body)
    expect(answer).toMatchObject({ status: 400, body: { error: { param } } })
  })

  test('still takes what is right, and null for nothing', async () => {
    const answer = await ask(strict, '/v1/completions', {
      stop: null,
      temperature: 0,
      user: 'u',
      stream_options: null,
    })
    expect(answer.status).toBe(200)
  })
})

describe('SLOW_THRESHOLD_MS', () => {
  test('is what makes an answer slow, in the answer and in the log', async () => {
    await using near = await startBefore(stack.pandotateUrl, { environment: { SLOW_THRESHOLD_MS: '50' } })
    const slow = await ask(near, '/inference', { model: 'sim-slow-120-echo' })
    expect(slow.body).toMatchObject({ slow: true })
    expect((await slow.line())['slow']).toBe(true)
    const quick = await ask(stack, '/inference', { model: 'sim-echo' })
    expect(quick.body).toMatchObject({ slow: false })
  })
})

describe('what the terminal says to try', () => {
  const file = `
auth: { keys: [sk-of-a-caller-1234] }
providers: { spare: { type: simulator } }
models:
  team/only-this: { deployments: [{ provider: spare, model: sim-echo }] }
`

  test('works as printed: with a model that is there, and a key where one is asked for', async () => {
    await using gateway = await startGateway({ file })
    const printed = /Try it:\n([\s\S]+?)\n\n/.exec(gateway.stderr())?.[1] ?? ''
    expect(printed).toContain('"model":"team/only-this"')
    const environment = { ...shellEnvironment(), GATEWAY_KEY: 'sk-of-a-caller-1234' }
    const { code, stdout } = await runShell(printed, { environment })
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ choices: [{ message: { content: 'Hello!' } }] })
  })
})
