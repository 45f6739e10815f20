import { connect } from 'node:net'
import { hostname, networkInterfaces } from 'node:os'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'

const key = 'sk-inference-0123456789'
let open: TestGateway
let keyed: TestGateway
let unasked: TestGateway
beforeAll(async () => {
  open = await startTestGateway({
    allowedHosts: ['gw.example', '*.team.example', 'odd.example:81', '10.9.8.7'],
  })
  keyed = await startTestGateway({ keys: [key] })
  unasked = await startTestGateway({ allowUnauthenticated: true })
})
afterAll(async () => {
  await Promise.all([open, keyed, unasked].map((gateway) => gateway[Symbol.asyncDispose]()))
})

const outer = Object.values(networkInterfaces())
  .flatMap((addresses = []) => addresses)
  .find(({ internal, family }) => !internal && family === 'IPv4')?.address

describe('without keys, a Host of this machine is answered', () => {
  test.for([
    'localhost',
    'localhost:1',
    'LocalHost:8000',
    'localhost.',
    'app.localhost:8000',
    '127.0.0.1',
    '127.8.9.10:8000',
    '0.0.0.0:8000',
    '[::1]:8000',
    '[0:0:0:0:0:0:0:1]',
    '[::ffff:127.0.0.1]',
    'host.docker.internal:8000',
    hostname(),
    outer ?? 'localhost',
    'gw.example:1234',
    'GW.Example',
    'a.b.team.example',
    'odd.example:81',
    '10.9.8.7:8000',
  ])('%s', async (host) => {
    expect((await asked(open, [`Host: ${host}`])).status).toBe(200)
  })
})

describe('without keys, any other Host is a 421 that names the setting', () => {
  test.for([
    'evil.example',
    'evil.example:8000',
    'localhost.evil.example',
    'localhost@evil.example',
    'evil.example#localhost',
    'team.example',
    'evilteam.example',
    'odd.example:82',
    '8.8.8.8',
    '[2001:db8::1]',
    '127.0.0.1.nip.io',
    'gateway',
    'gateway.local',
    '',
    'localhost:80:80',
    'local host',
  ])('%j', async (host) => {
    const answer = await asked(open, [`Host: ${host}`])
    expect(answer.status).toBe(421)
    expect(answer.error).toMatchObject({
      code: 'host_not_allowed',
      message: expect.stringContaining('server.allowedHosts'),
    })
    expect(answer.requestId).toMatch(/^req_/)
  })

  test('for every path, calls and admin actions too, and where the target itself names it', async () => {
    for (const [method, path] of [
      ['POST', '/v1/chat/completions'],
      ['POST', '/inference'],
      ['POST', '/v1/messages'],
      ['GET', '/health'],
      ['GET', '/metrics'],
      ['POST', '/admin/api/deployments/a/wake'],
      ['GET', '/nothing'],
    ] as const) {
      expect((await asked(open, ['Host: evil.example'], `${method} ${path} HTTP/1.1`)).status).toBe(421)
    }
    const target = 'GET http://evil.example/v1/models HTTP/1.1'
    expect((await asked(open, ['Host: localhost'], target)).status).toBe(421)
  })
})

test('with keys, any Host is answered', async () => {
  const bearer = `Authorization: Bearer ${key}`
  expect((await asked(keyed, ['Host: gateway.example', bearer])).status).toBe(200)
})

test.for([
  ['gateway', 200],
  ['gateway:8000', 200],
  ['gateway.local', 200],
  ['gateway.corp.internal', 200],
  ['gateway.default.svc', 200],
  ['gateway.default.svc.cluster.local', 200],
  ['evil.example', 421],
  ['local.evil.example', 421],
  ['8.8.8.8', 421],
] as const)('where everybody is let in, %s is a %i', async ([host, status]) => {
  expect((await asked(unasked, [`Host: ${host}`])).status).toBe(status)
})

const host = 'Host: localhost'

describe('what two readers may read in two ways is a 400', () => {
  test.for<readonly [string, readonly string[]]>([
    ['two hosts', [host, 'host: evil.example']],
    ['the same host twice', [host, host]],
    ['two keys', [host, `Authorization: Bearer ${key}`, 'authorization: Bearer other']],
    ['the same key twice', [host, `Authorization: Bearer ${key}`, `AUTHORIZATION: Bearer ${key}`]],
    ['two keys of Azure’s', [host, `api-key: ${key}`, 'API-Key: other']],
    ['two keys of Anthropic’s', [host, `x-api-key: ${key}`, 'X-Api-Key: other']],
    ['no host', []],
  ])('%s', async ([, headers]) => {
    for (const gateway of [open, keyed]) {
      const answer = await asked(gateway, headers)
      expect(answer).toMatchObject({ status: 400, requestId: expect.stringMatching(/^req_/) })
      expect(answer.error).toMatchObject({ type: 'invalid_request_error' })
    }
  })

  test('and told in Anthropic’s shape on its paths', async () => {
    const answer = await asked(open, [host, host], 'POST /v1/messages HTTP/1.1')
    expect(answer).toMatchObject({ status: 400, body: { type: 'error' } })
  })
})

describe('what the parser refuses is reported in JSON, with a request’s id', () => {
  test.for<readonly [string, string, readonly string[], number]>([
    ['HTTP/0.9', 'GET /v1/models HTTP/0.9', [host], 505],
    ['HTTP/1.2', 'GET /v1/models HTTP/1.2', [host], 505],
    ['HTTP/2.0', 'GET /v1/models HTTP/2.0', [host], 505],
    ['HTTP/3.7', 'GET /v1/models HTTP/3.7', [host], 505],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0', [], 505],
    ['a name with a blank', 'GET /v1/models HTTP/1.1', ['Host : localhost'], 400],
    ['no request at all', 'hello', [], 400],
    ['a line that ends in LF alone', 'GET /v1/models HTTP/1.1\nx: y', [host], 400],
    ['two lengths', 'POST /v1/models HTTP/1.1', [host, 'Content-Length: 1', 'Content-Length: 2'], 400],
    [
      'two framings',
      'POST /v1/models HTTP/1.1',
      [host, 'Content-Length: 1', 'Transfer-Encoding: chunked'],
      400,
    ],
    ['an unknown expectation', 'POST /v1/models HTTP/1.1', [host, 'Expect: wonders'], 417],
    ['endless headers', 'GET /v1/models HTTP/1.1', [host, `x-long: ${'x'.repeat(70_000)}`], 431],
  ])('%s', async ([, line, headers, status]) => {
    const answer = await asked(open, headers, line)
    expect(answer).toMatchObject({ status, requestId: expect.stringMatching(/^req_[0-9a-f]{32}$/) })
    expect(Object.keys(answer.error)).toEqual(['message', 'type', 'param', 'code'])
  })

  test('HTTP/1.0 is served, without a Host too', async () => {
    expect((await asked(open, [], 'GET /v1/models HTTP/1.0')).status).toBe(200)
  })
})

describe('an admin action', () => {
  const wake = 'POST /admin/api/deployments/nothing@nowhere/wake HTTP/1.1'
  const json = 'Content-Type: application/json'
  test.for<readonly [string, readonly string[], number]>([
    ['by no page', [json], 404],
    ['by a page of the gateway’s own', [json, 'Origin: http://localhost'], 404],
    ['by a foreign page', [json, 'Origin: https://evil.example'], 403],
    ['by a page without an origin', [json, 'Origin: null'], 403],
    ['by a page of another port', [json, 'Origin: http://localhost:3000'], 403],
    ['by a foreign page whose browser says so', [json, 'Sec-Fetch-Site: cross-site'], 403],
    ['as a form', ['Content-Type: application/x-www-form-urlencoded'], 415],
    ['as text', ['Content-Type: text/plain'], 415],
    ['without a type', [], 415],
  ])('%s', async ([, headers, status]) => {
    expect((await asked(open, [host, ...headers], wake)).status).toBe(status)
  })

  test('by a page of an origin that is let in by name is taken', async () => {
    await using gateway = await startTestGateway({ cors: { origins: ['https://console.example'] } })
    const headers = [host, json, 'Origin: https://console.example']
    expect((await asked(gateway, headers, wake)).status).toBe(404)
  })
})

type Asked = {
  readonly status: number
  readonly requestId: string | undefined
  readonly body: { readonly error?: object }
  readonly error: object
}

/** One request, as it stands, on a connection of its own. */
async function asked(
  gateway: TestGateway,
  headers: readonly string[],
  line = 'GET /v1/models HTTP/1.1',
): Promise<Asked> {
  const { hostname: address, port } = new URL(gateway.url)
  const socket = connect(Number(port), address)
  socket.write(`${[line, 'Connection: close', ...headers].join('\r\n')}\r\n\r\n`)
  const pieces: Buffer[] = []
  for await (const piece of socket) pieces.push(piece as Buffer)
  const text = Buffer.concat(pieces).toString()
  const body: unknown = JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4))
  const { error = {} } = body as { readonly error?: object }
  return {
    status: Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1]),
    requestId: /^x-request-id: (\S+)\r$/m.exec(text)?.[1],
    body: body as Asked['body'],
    error,
  }
}
