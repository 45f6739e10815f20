import Router from '@koa/router'
import Koa from 'koa'
import { dialects, relays } from '../../src/dialects/all.ts'
import { answerErrors } from '../../src/http/middleware/errors.ts'
import { assignRequestId } from '../../src/http/middleware/request-id.ts'
import { listen } from '../../src/http/server.ts'

/** Routes on a free port, behind the middleware of every request. */
export type Mounted = AsyncDisposable & {
  /** `Body` has the fields that the test reads. */
  request<Body>(path: string, init?: RequestInit): Promise<Answered<Body>>
  post<Body>(path: string, body: unknown, headers?: Record<string, string>): Promise<Answered<Body>>
}

export type Answered<Body> = {
  readonly status: number
  readonly headers: Headers
  readonly body: Body
}

export async function mount(serve: (router: Router) => void): Promise<Mounted> {
  const router = new Router({ sensitive: true, strict: true })
  serve(router)
  const app = new Koa()
  app.silent = true
  app.use(assignRequestId(() => 'req_of_the_question'))
  app.use(answerErrors([...dialects, ...relays]))
  app.use(router.routes())
  const server = await listen(app.callback(), { host: '127.0.0.1', port: 0 })
  const request = async <Body>(path: string, init: RequestInit = {}): Promise<Answered<Body>> => {
    const response = await fetch(server.url + path, init)
    return { status: response.status, headers: response.headers, body: (await response.json()) as Body }
  }
  return {
    request,
    post: (path, body, headers = {}) =>
      request(path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body),
      }),
    async [Symbol.asyncDispose]() {
      const closed = server.close()
      server.cut()
      await closed
    },
  }
}
