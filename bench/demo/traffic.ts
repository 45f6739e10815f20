/** A call as its caller saw it end. */
export type Asked = { readonly isAnswered: boolean }

export type Traffic = {
  readonly url: string
  readonly calls: number
  /** The same seed, the same calls. */
  readonly seed: number
  /** Some of the calls stream. */
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

const atOnce = 16

type Request = { readonly path: string; readonly body: object; readonly stream: boolean }

function requestOf(number: number, streams: boolean): Request {
  const text = 'word '.repeat(number % 3 === 0 ? 400 : 5)
  const stream = streams && number % 2 === 0
  const rest = { model: 'demo', max_tokens: 30, stream }
  return number % 5 === 0
    ? { path: '/v1/completions', stream, body: { ...rest, prompt: text } }
    : { path: '/v1/chat/completions', stream, body: { ...rest, messages: [{ role: 'user', content: text }] } }
}

async function ask(url: string, { path, body, stream }: Request): Promise<Asked> {
  const response = await fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const text = await response.text()
  const isWhole = stream ? text.endsWith('data: [DONE]\n\n') : text.includes('"finish_reason"')
  return { isAnswered: response.status === 200 && isWhole }
}
