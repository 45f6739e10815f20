import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { isObject, type JsonObject, parseJson } from '../core/json.ts'
import { countWords } from './answer.ts'
import { type Line, performReply, sendError } from './pandotate-reply.ts'
import { maxTokensIn, stopIn } from './request.ts'
import type { Counts, ScriptRequest } from './script.ts'
import { createSimulatorState, type SimulatorState } from './state.ts'
import { lastUserTurn } from './user-turn.ts'

/**
 * Pandotate's own wire format over HTTP, with a simulated model behind it: `POST /api/inference`, JSON in and
 * JSON out, never a stream. The model's name spells what happens, on the real socket.
 */
export interface SimulatedPandotate extends AsyncDisposable {
  /** The address of its one route. */
  readonly url: string
  /** The latest requests, oldest first, whatever became of them; at most 1000. */
  readonly requests: readonly SeenRequest[]
  /** How many requests came. */
  hits(): number
  /** How many of them the client left before the answer's end. */
  abandoned(): number
  /** What the whole answers amount to, by true counts, whatever the answers told. */
  bill(): Bill
}

export type PandotateOptions = {
  readonly host: string
  /** 0: any that is free. */
  readonly port: number
  /** The bearer that is asked for; undefined: none is. */
  readonly key?: string | undefined
}

export type SeenRequest = {
  readonly method: string
  readonly path: string
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly body: string
}

export type Bill = {
  readonly answers: number
  readonly promptTokens: number
  readonly completionTokens: number
}

/** Resolves when it listens; rejects when it cannot. */
export async function simulatePandotate({ host, port, key }: PandotateOptions): Promise<SimulatedPandotate> {
  const desk: Desk = {
    key,
    state: createSimulatorState(),
    requests: [],
    hits: 0,
    abandoned: 0,
    bill: { answers: 0, promptTokens: 0, completionTokens: 0 },
    closing: false,
  }
  // A client's idle connections outlive its pauses, so that none is closed under a request on its way.
  const server = createServer({ keepAliveTimeout: 65_000 }, (request, response) => {
    void receive(request, response, desk)
  })
  server.listen(port, host)
  await once(server, 'listening')
  return {
    url: addressOf(server),
    requests: desk.requests,
    hits: () => desk.hits,
    abandoned: () => desk.abandoned,
    bill: () => desk.bill,
    async [Symbol.asyncDispose]() {
      desk.closing = true
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

const route = '/api/inference'
const mostRequestsKept = 1000
const mostBodyBytes = 64 * 1024 * 1024

type Desk = {
  readonly key: string | undefined
  readonly state: SimulatorState
  readonly requests: SeenRequest[]
  hits: number
  abandoned: number
  bill: Bill
  closing: boolean
}

function addressOf(server: Server): string {
  const { address, family, port } = server.address() as AddressInfo
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}${route}`
}

async function receive(request: IncomingMessage, response: ServerResponse, desk: Desk): Promise<void> {
  desk.hits++
  response.setHeader('x-request-id', `pandotate-${desk.hits}`)
  const left = new AbortController()
  const line: Line = { response, signal: left.signal, broken: false }
  response.once('close', () => {
    left.abort()
    if (!response.writableFinished && !line.broken && !desk.closing) desk.abandoned++
  })
  try {
    const body = await readBody(request)
    remember(request, body ?? '', desk)
    const asked = body === undefined ? tooLarge : readRequest(request, body, desk.key)
    if ('error' in asked) {
      sendError(response, asked.status, asked.error)
      return
    }
    const { model } = asked
    const counts = await performReply(desk.state.scriptFor(model, asked.request), model, line)
    if (counts !== undefined) desk.bill = billed(desk.bill, counts)
  } catch (thrown) {
    // Once the client has gone, whatever broke is its leaving; anything else is a bug, and loud.
    if (!left.signal.aborted && request.complete) throw thrown
  }
}

/** Reads to the end, so that the client hears the answer; undefined when there was too much to keep. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes <= mostBodyBytes) chunks.push(chunk)
  }
  return bytes <= mostBodyBytes ? Buffer.concat(chunks).toString() : undefined
}

function remember({ method = '', url = '', headers }: IncomingMessage, body: string, desk: Desk): void {
  desk.requests.push({ method, path: url, headers: { ...headers }, body })
  if (desk.requests.length > mostRequestsKept) desk.requests.shift()
}

type Asked =
  | { readonly model: string; readonly request: Omit<ScriptRequest, 'failures'> }
  | { readonly status: number; readonly error: string }

const tooLarge: Asked = { status: 413, error: 'Request body too large' }

function readRequest(
  { method, url, headers }: IncomingMessage,
  text: string,
  key: string | undefined,
): Asked {
  if (url?.split('?')[0] !== route) return { status: 404, error: 'Not found' }
  if (method !== 'POST') return { status: 405, error: 'Method not allowed' }
  if (key !== undefined && headers.authorization !== `Bearer ${key}`) {
    return { status: 401, error: headers.authorization === undefined ? 'Missing API key' : 'Invalid API key' }
  }
  const body = parseBody(text)
  if (body === undefined) return { status: 400, error: 'Invalid JSON body' }
  const { model, prompt } = body
  if (typeof model !== 'string' || model === '') return { status: 400, error: 'model field is required' }
  if (typeof prompt !== 'string') return { status: 400, error: 'prompt must be a string' }
  return {
    model,
    request: {
      kind: 'text',
      prompt: lastUserTurn(prompt),
      promptTokens: countWords(prompt),
      maxTokens: maxTokensIn(body),
      stop: stopIn(body),
    },
  }
}

function parseBody(text: string): JsonObject | undefined {
  try {
    const body = parseJson(text)
    return isObject(body) ? body : undefined
  } catch {
    return undefined
  }
}

function billed({ answers, promptTokens, completionTokens }: Bill, counts: Counts): Bill {
  return {
    answers: answers + 1,
    promptTokens: promptTokens + counts.promptTokens,
    completionTokens: completionTokens + counts.completionTokens,
  }
}
