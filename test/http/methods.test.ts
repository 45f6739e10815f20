import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { rawRequest } from '../harness/raw-request.ts'

let gateway: TestGateway
beforeAll(async () => {
  gateway = await startTestGateway()
})
afterAll(() => gateway[Symbol.asyncDispose]())

const everywhere = ['/v1', '/inference', '/inference/v1', '/openai', '/openai/v1']
const under = (prefixes: readonly string[], path: string) => prefixes.map((prefix) => prefix + path)

/** Every path, and the methods it has. */
const paths: readonly (readonly [string, readonly string[]])[] = [
  ...[
    '/completions',
    '/chat/completions',
    '/messages',
    '/messages/count_tokens',
    '/responses',
    '/embeddings',
    '/rerank',
    '/fim/completions',
    '/tokenize',
  ].flatMap((path) => under(everywhere, path).map((full) => [full, ['POST']] as const)),
  ...['/models', '/models/a-model', '/models/a/model'].flatMap((path) =>
    under(everywhere, path).map((full) => [full, ['GET', 'HEAD']] as const),
  ),
  ...under(everywhere, '/responses/resp_1').map((full) => [full, ['DELETE', 'GET', 'HEAD']] as const),
  ['/v1/responses/resp_1/input_items', ['GET', 'HEAD']],
  ['/v1/route/explain', ['POST']],
  ['/v1/generation', ['GET', 'HEAD']],
  ['/openai/deployments/m/chat/completions', ['POST']],
  ['/openai/deployments/m/completions', ['POST']],
  ['/openai/deployments/m/embeddings', ['POST']],
  ['/inference', ['POST']],
  ['/admin/api/deployments', ['GET', 'HEAD']],
  ['/admin/api/deployments/a/b/wake', ['POST']],
  ['/admin/api/deployments/a/b/drain', ['DELETE', 'POST']],
  ['/metrics', ['GET', 'HEAD']],
  ['/health', ['GET', 'HEAD']],
  ['/', ['GET', 'HEAD']],
  ['/livez', ['GET', 'HEAD']],
  ['/readyz', ['GET', 'HEAD']],
]

describe.for(paths)('%s', ([path, methods]) => {
  test('tells its methods to OPTIONS', async () => {
    const { status, headers, body } = await rawRequest(gateway.url, 'OPTIONS', path)
    expect({ status, body }).toEqual({ status: 200, body: '' })
    expect(headers['allow']?.split(', ').toSorted()).toEqual(methods)
    expect(headers['x-request-id']).toMatch(/^req_/)
  })

  test('refuses every other with 405, and names those it has', async () => {
    const others = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'PROPFIND', 'PURGE', 'TRACE']
    for (const method of others.filter((name) => !methods.includes(name) && !isOpenAi(name, path))) {
      const { status, reason, headers, body } = await rawRequest(gateway.url, method, path)
      expect({ method, status, reason }).toEqual({ method, status: 405, reason: 'Method Not Allowed' })
      expect(headers['allow']?.split(', ').toSorted()).toEqual(methods)
      expect(headers['content-type']).toBe('application/json')
      if (method === 'HEAD') expect(body).toBe('')
      else expect(JSON.parse(body)).toHaveProperty('error')
    }
  })
})

/** What OpenAI has there, and the gateway has not: that is a 501. */
function isOpenAi(method: string, path: string): boolean {
  if (path.endsWith('/chat/completions')) return method === 'GET' || method === 'HEAD'
  return method === 'DELETE' && path.includes('/models/')
}

const gettable = paths.filter(([path, methods]) => methods.includes('GET') && !path.includes('resp_1'))

test.for(gettable)('HEAD of %s has the status and the headers of GET, and no body', async ([path]) => {
  const shown = path === '/v1/generation' ? `${path}?id=req_1` : path
  const [got, head] = await Promise.all(
    ['GET', 'HEAD'].map((method) => rawRequest(gateway.url, method, shown)),
  )
  const telling = ({ date: _date, 'x-request-id': _id, ...rest }: Record<string, string> = {}) => rest
  expect(head?.status).toBe(got?.status)
  expect(head?.body).toBe('')
  // How long the metrics are changes from one scrape to the next.
  const { 'content-length': length, ...headers } = telling(head?.headers)
  const { 'content-length': gotLength, ...gotHeaders } = telling(got?.headers)
  expect(headers).toEqual(gotHeaders)
  if (path !== '/metrics') expect(length).toBe(gotLength)
})

test.for(['/v1', '/v1/', '/nowhere', '/v1/completions/', '/V1/models', '/inference/'])(
  'A path that is none is a 404 in the envelope, whatever the method: %s',
  async (path) => {
    for (const method of ['GET', 'POST', 'OPTIONS', 'HEAD', 'DELETE']) {
      const { status, headers, body } = await rawRequest(gateway.url, method, path)
      expect({ method, status }).toEqual({ method, status: 404 })
      expect(headers['content-type']).toBe('application/json')
      expect(headers).not.toHaveProperty('allow')
      if (method !== 'HEAD') expect(JSON.parse(body).error.code).toBe('unknown_url')
    }
  },
)
