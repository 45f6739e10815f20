import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestGateway, type TestGateway } from '../../harness/gateway.ts'
import { type RawAnswer, rawRequest } from '../../harness/raw-request.ts'

const page = 'https://app.example'

let gateway: TestGateway
beforeAll(async () => {
  gateway = await startTestGateway({ cors: { origins: [page, 'http://localhost:3000'] } })
})
afterAll(() => gateway[Symbol.asyncDispose]())

const preflightOf = (origin: string, headers = 'authorization,content-type') => ({
  origin,
  'access-control-request-method': 'POST',
  'access-control-request-headers': headers,
})

const corsHeaders = ({ headers }: RawAnswer) =>
  Object.keys(headers).filter((name) => name.startsWith('access-control-') || name === 'vary')

/** What a page could do, and the status it is answered with. */
const calls: readonly (readonly [string, string, string, string | undefined, number])[] = [
  ['an answer', 'POST', '/v1/completions', '{"model":"sim-echo","prompt":"hi"}', 200],
  ['a stream', 'POST', '/v1/completions', '{"model":"sim-echo","prompt":"hi","stream":true}', 200],
  ['a list', 'GET', '/v1/models', undefined, 200],
  ['a health check', 'GET', '/health', undefined, 200],
  ['broken JSON', 'POST', '/v1/completions', '{', 400],
  ['an upstream that fails', 'POST', '/v1/completions', '{"model":"sim-status-429","prompt":"hi"}', 429],
  ['an unknown path', 'GET', '/nowhere', undefined, 404],
  ['a path that is not served', 'POST', '/v1/images/generations', '{}', 501],
  ['a wrong method', 'PUT', '/v1/completions', '{}', 405],
]

describe('A page of an origin on the list', () => {
  test.for(calls)('may read %s', async ([, method, path, body, status]) => {
    const answer = await rawRequest(gateway.url, method, path, { origin: page }, body)
    expect(answer.status).toBe(status)
    expect(answer.headers['access-control-allow-origin']).toBe(page)
    expect(answer.headers['vary']).toBe('origin')
    const readable = new Set(answer.headers['access-control-expose-headers']?.split(', '))
    const told = Object.keys(answer.headers).filter((name) =>
      /^x-(?!content-|accel-)|^retry-|^request-id/.test(name),
    )
    expect(told).toContain('x-request-id')
    expect(told.filter((name) => !readable.has(name))).toEqual([])
  })

  test.for([
    [
      'OpenAI’s SDK',
      'authorization,content-type,x-stainless-arch,x-stainless-retry-count,openai-beta,user-agent',
    ],
    ['Anthropic’s SDK', 'anthropic-dangerous-direct-browser-access,anthropic-version,content-type,x-api-key'],
    ['Azure’s', 'api-key,content-type'],
    ['a careful caller', 'Idempotency-Key, X-Pandotate-Timeout-Ms, x-pandotate-provider-order'],
  ] as const)('may send what %s sends', async ([, asked]) => {
    const answer = await rawRequest(gateway.url, 'OPTIONS', '/v1/chat/completions', preflightOf(page, asked))
    expect(answer).toMatchObject({ status: 204, body: '' })
    const { headers } = answer
    expect(headers).toMatchObject({
      'access-control-allow-origin': page,
      'access-control-max-age': '7200',
      vary: 'origin',
      'x-request-id': expect.stringMatching(/^req_/),
    })
    expect(headers['access-control-allow-methods']?.split(', ')).toEqual(['GET', 'HEAD', 'POST', 'DELETE'])
    const allowed = headers['access-control-allow-headers']?.split(', ') ?? []
    for (const name of asked.toLowerCase().split(/,\s*/)) expect(allowed).toContain(name)
    expect(headers).not.toHaveProperty('access-control-allow-credentials')
  })

  test.for(['x-forwarded-for', 'cookie', 'x-stainless-\u00e4', `openai-${'x'.repeat(200)}`])(
    'may not send %s',
    async (name) => {
      const asked = preflightOf(page, `content-type,${name}`)
      const { headers } = await rawRequest(gateway.url, 'OPTIONS', '/v1/completions', asked)
      expect(headers['access-control-allow-headers']).toBe('authorization, content-type')
    },
  )

  test('asks beforehand for any path: the call itself is told what is wrong with it', async () => {
    const { status } = await rawRequest(gateway.url, 'OPTIONS', '/nowhere', preflightOf(page))
    expect(status).toBe(204)
  })

  test('asks what a path can do as anyone does', async () => {
    const answer = await rawRequest(gateway.url, 'OPTIONS', '/v1/completions', { origin: page })
    expect(answer).toMatchObject({
      status: 200,
      headers: { allow: 'POST', 'access-control-allow-origin': page },
    })
  })
})

describe('A page of another origin', () => {
  test.for(['https://evil.example', 'https://app.example.evil', 'http://app.example', 'null', `${page}:444`])(
    'is told nothing: %s',
    async (origin) => {
      for (const [, method, path, body, status] of calls) {
        const answer = await rawRequest(gateway.url, method, path, { origin }, body)
        expect(answer.status).toBe(status)
        expect(corsHeaders(answer)).toEqual(['vary'])
      }
      const preflight = await rawRequest(gateway.url, 'OPTIONS', '/v1/completions', preflightOf(origin))
      expect(preflight).toMatchObject({ status: 200, headers: { allow: 'POST' } })
      expect(corsHeaders(preflight)).toEqual(['vary'])
    },
  )

  test('cannot have a key used by a form or a plain text, which no browser asks beforehand for', async () => {
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=b',
    ]) {
      const headers = { origin: 'https://evil.example', 'content-type': type }
      const body = '{"model":"sim-echo","prompt":"hi"}'
      expect((await rawRequest(gateway.url, 'POST', '/v1/completions', headers, body)).status).toBe(415)
    }
  })
})

test('A caller that is no page gets its answer, marked as one of many', async () => {
  const answer = await rawRequest(gateway.url, 'GET', '/v1/models')
  expect(corsHeaders(answer)).toEqual(['vary'])
})

test('Any origin may be allowed', async () => {
  await using open = await startTestGateway({ cors: { origins: ['*'] } })
  for (const origin of [page, 'null']) {
    const answer = await rawRequest(open.url, 'GET', '/v1/models', { origin })
    expect(answer.headers['access-control-allow-origin']).toBe('*')
    expect(answer.headers).not.toHaveProperty('vary')
    expect((await rawRequest(open.url, 'OPTIONS', '/v1/models', preflightOf(origin))).status).toBe(204)
  }
})

test('Without origins, nothing is said of any of it', async () => {
  await using closed = await startTestGateway()
  for (const [, method, path, body] of calls) {
    expect(corsHeaders(await rawRequest(closed.url, method, path, { origin: page }, body))).toEqual([])
  }
  const preflight = await rawRequest(closed.url, 'OPTIONS', '/v1/completions', preflightOf(page))
  expect(preflight).toMatchObject({ status: 200, headers: { allow: 'POST' } })
  expect(corsHeaders(preflight)).toEqual([])
})
