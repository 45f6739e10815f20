import Router from '@koa/router'
import Koa from 'koa'
import { dialects, relays } from '../../src/dialects/all.ts'
import { answerErrors } from '../../src/http/middleware/errors.ts'
import { assignRequestId } from '../../src/http/middleware/request-id.ts'
import { listen } from '../../src/http/server.ts'

/** Some routes on a free port, behind what every request passes first. */
export type Mounted = AsyncDisposable & {
  request(path: string, init?: RequestInit): Promise<Answered>
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Answered>
}

export type Answered = {
  readonly status: number
  readonly headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: each test looks for what it expects.
  readonly body: any
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
  const request = async (path: string, init: RequestInit = {}): Promise<Answered> => {
    const response = await fetch(server.url + path, init)
    return { status: response.status, headers: response.headers, body: await response.json() }
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
