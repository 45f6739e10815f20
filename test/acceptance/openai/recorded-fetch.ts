import { checkResponse, checkResponseStream } from '../responses/shape.ts'
import { checkError, checkInference, checkModels, checkReply, checkType, must } from './shape.ts'
import { checkInferenceStream, checkStream } from './stream-shape.ts'

/** A `fetch` for the clients under test that holds every answer to OpenAI's shape as it passes. */
export type Witness = {
  readonly fetch: typeof fetch
  /** Everything that passed, in the order in which it was requested. */
  readonly seen: readonly Seen[]
  /** Every fault found so far; a suite ends by expecting none. */
  readonly faults: readonly string[]
}

export type Seen = {
  readonly path: string
  readonly status: number
  readonly headers: Headers
  readonly requestId: string | null
}

/** Makes one with nothing seen yet. */
export function createWitness(): Witness {
  const seen: Seen[] = []
  const faults: string[] = []
  return {
    seen,
    faults,
    async fetch(input, init) {
      const response = await fetch(input, init)
      const url = new URL(input instanceof Request ? input.url : String(input))
      const requestId = response.headers.get('x-request-id')
      seen.push({ path: url.pathname, status: response.status, headers: response.headers, requestId })
      const asked = typeof init?.body === 'string' ? init.body : ''
      const note = (text: string, isWhole: boolean) => {
        try {
          checkAnswer({ path: url.pathname, asked, response, text, isWhole })
        } catch (thrown) {
          faults.push(`${url.pathname} ${response.status}: ${thrown}\n${asked}\n${text.slice(0, 2000)}`)
        }
      }
      return new Response(response.body?.pipeThrough(listener(note)) ?? null, response)
    },
  }
}

export type Answered = {
  readonly path: string
  /** The body of the request. */
  readonly asked: string
  readonly response: Pick<Response, 'status' | 'headers'>
  readonly text: string
  /** False when the caller left before the end. */
  readonly isWhole: boolean
}

/** Holds one answer, JSON or stream, to what its path must give. */
export function checkAnswer({ path, asked, response, text, isWhole }: Answered): void {
  const { status, headers } = response
  must(/^req_[0-9a-f]{32}$/.test(headers.get('x-request-id') ?? ''), 'x-request-id')
  const request = readAsked(asked)
  const isInference = path === '/inference'
  const isResponse = /\/responses(\/|$)/.test(path)
  if (headers.get('content-type')?.startsWith('text/event-stream')) {
    must(status === 200 && request['stream'] === true, 'a stream that was not asked for')
    if (isInference) checkInferenceStream(text)
    else if (isResponse) checkResponseStream(text, isWhole)
    else checkStream(text, { includesUsage: asksForUsage(request), choiceCount: choicesOf(request), isWhole })
    return
  }
  must(headers.get('content-type') === 'application/json', `content-type: ${headers.get('content-type')}`)
  if (!isWhole) return
  const body: unknown = JSON.parse(text)
  if (isInference) checkInference(body)
  else if (status >= 400) checkError(body)
  else if (/\/models(\/|$)/.test(path)) checkModels(body)
  else if (isResponse) checkResponse(body)
  else if (path.endsWith('/embeddings')) checkType('CreateEmbeddingResponse', body)
  else checkReply(body, choicesOf(request))
}

type Asked = { readonly [key: string]: unknown }

function readAsked(asked: string): Asked {
  const body = parsed(asked)
  return typeof body === 'object' && body !== null && !Array.isArray(body) ? (body as Asked) : {}
}

/** Undefined for what is not JSON: the suites send that too. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function asksForUsage({ stream_options: options }: Asked): boolean {
  return (
    typeof options === 'object' &&
    options !== null &&
    'include_usage' in options &&
    options.include_usage === true
  )
}

/** Prompts times n; a list of token ids is one prompt. */
function choicesOf({ prompt, n }: Asked): number {
  const isList = Array.isArray(prompt) && typeof prompt[0] !== 'number'
  return (isList ? prompt.length : 1) * (typeof n === 'number' ? n : 1)
}

/** Passes bytes on, and reports the text: all of it at the end, or the part that was read when its reader leaves. */
function listener(note: (text: string, isWhole: boolean) => void): TransformStream<Uint8Array, Uint8Array> {
  const decoder = new TextDecoder()
  let text = ''
  return new TransformStream({
    transform(chunk, controller) {
      text += decoder.decode(chunk, { stream: true })
      controller.enqueue(chunk)
    },
    flush: () => note(text, true),
    cancel: () => note(text, false),
  })
}
