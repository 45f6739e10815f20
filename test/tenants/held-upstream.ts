import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** An OpenAI-compatible server that answers when it is told to, and counts what it was asked. */
export type HeldUpstream = AsyncDisposable & {
  readonly url: string
  /** Bodies of requests, in the order they came. */
  readonly asked: readonly Asked[]
  /** The same as they were written. */
  readonly texts: readonly string[]
  /** Answers all that wait, and from then on each at once. */
  release(): void
}

export type Asked = { readonly stream?: boolean; readonly max_tokens?: number; readonly model: string }

export type HeldSettings = {
  /** Words of each answer. */
  readonly words?: number
  /** It is told in the usage; undefined: no usage is told. */
  readonly usage?: { readonly prompt_tokens: number; readonly completion_tokens: number } | undefined
  readonly isHeld?: boolean
  /** After how many words of a stream it closes the connection. */
  readonly cutAfter?: number
}

export async function startHeldUpstream(settings: HeldSettings = {}): Promise<HeldUpstream> {
  const asked: Asked[] = []
  const texts: string[] = []
  let waiting: (() => void)[] | undefined = settings.isHeld === false ? undefined : []
  const server = createServer((request, response) => {
    void read(request).then((text) => {
      const body = JSON.parse(text) as Asked
      texts.push(text)
      asked.push(body)
      const go = () => answer(response, body, settings)
      if (waiting === undefined) go()
      else waiting.push(go)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/v1`,
    asked,
    texts,
    release() {
      const held = waiting ?? []
      waiting = undefined
      for (const go of held) go()
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function read(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const piece of request.setEncoding('utf8')) text += piece
  return text
}

function answer(
  response: ServerResponse,
  { stream, model }: Asked,
  { words = 2, usage, cutAfter }: HeldSettings,
): void {
  const told = usage && { ...usage, total_tokens: usage.prompt_tokens + usage.completion_tokens }
  const common = { id: 'cmpl-1', created: 1, model }
  if (stream !== true) {
    const content = Array.from({ length: words }, (_, at) => `word${at}`).join(' ')
    const choice = { index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ ...common, object: 'chat.completion', choices: [choice], usage: told }))
    return
  }
  response.setHeader('content-type', 'text/event-stream')
  const send = (choices: unknown, usageTold?: unknown) =>
    response.write(
      `data: ${JSON.stringify({ ...common, object: 'chat.completion.chunk', choices, ...(usageTold === undefined ? {} : { usage: usageTold }) })}\n\n`,
    )
  let at = 0
  const next = () => {
    if (response.destroyed) return
    if (at === cutAfter) return void response.destroy()
    if (at < words) {
      send([{ index: 0, delta: { content: `${at === 0 ? '' : ' '}word` }, finish_reason: null }])
      at++
      setImmediate(next)
      return
    }
    send([{ index: 0, delta: {}, finish_reason: 'stop' }])
    if (told !== undefined) send([], told)
    response.end('data: [DONE]\n\n')
  }
  next()
}
