import { once } from 'node:events'
import { type IncomingMessage, type RequestOptions, request } from 'node:http'

/** A call as its caller saw it end. */
export type Asked = 'answered' | 'left' | 'failed'

export type Traffic = {
  readonly url: string
  readonly calls: number
  /** The same seed, the same calls. */
  readonly seed: number
  /** Some of the calls stream: of those some break off at their first place, and some callers leave in the middle. */
  readonly streams: boolean
}

/** Sends chats and completions, short and long ones, a few at once, and reads every answer to its end. */
export async function askMixed({ url, calls, seed, streams }: Traffic): Promise<readonly Asked[]> {
  const asked: Asked[] = []
  let next = 0
  const work = async () => {
    while (next < calls) {
      const number = next++
      asked.push(await ask(url, requestOf(number * 7 + seed, streams)))
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  return asked
}

/** Asks each of the providers once, so that it is known how long each takes. */
export async function askEach(url: string, providers: readonly string[]): Promise<readonly Asked[]> {
  const asked: Asked[] = []
  for (const name of providers) {
    const { body, ...rest } = requestOf(1, true)
    asked.push(
      await ask(url, { ...rest, stream: true, body: { ...body, stream: true, provider: { only: [name] } } }),
    )
  }
  return asked
}

const atOnce = 16

type Request = {
  readonly path: string
  readonly body: object
  readonly stream: boolean
  /** The caller goes after the first words. */
  readonly isHasty: boolean
}

function requestOf(number: number, streams: boolean): Request {
  const text = 'word '.repeat(number % 3 === 0 ? 800 : 5)
  const stream = streams && number % 2 === 0
  const isHasty = stream && number % 11 === 0
  // A text can continue anywhere.
  const isFragile = stream && number % 5 === 0 && number % 4 === 0 && !isHasty
  const rest = { model: isFragile ? 'demo-fragile' : 'demo', max_tokens: 30, stream }
  return number % 5 === 0
    ? { path: '/v1/completions', stream, isHasty, body: { ...rest, prompt: text } }
    : {
        ...{ path: '/v1/chat/completions', stream, isHasty },
        body: { ...rest, messages: [{ role: 'user', content: text }] },
      }
}

async function ask(url: string, { path, body, stream, isHasty }: Request): Promise<Asked> {
  const request = { method: 'POST', headers: { 'content-type': 'application/json' } }
  if (isHasty) return await askInHaste(url + path, request, JSON.stringify(body))
  const response = await fetch(url + path, { ...request, body: JSON.stringify(body) })
  const text = await response.text()
  const isWhole = stream ? text.endsWith('data: [DONE]\n\n') : text.includes('"finish_reason"')
  return response.status === 200 && isWhole ? 'answered' : 'failed'
}

/** On a connection of its own, which is gone with the caller. */
async function askInHaste(url: string, options: RequestOptions, body: string): Promise<Asked> {
  const asking = request(url, { ...options, agent: false }).end(body)
  const [response] = (await once(asking, 'response')) as [IncomingMessage]
  await once(response, 'data')
  asking.destroy()
  return response.statusCode === 200 ? 'left' : 'failed'
}
