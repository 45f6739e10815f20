import { isObject, type JsonObject, parseJson } from '../../core/model/json/json.ts'
import type { Price } from '../../core/model/price.ts'
import { countWords } from '../script/answer.ts'
import { maxTokensIn, stopIn } from '../script/request.ts'
import type { Script, ScriptRequest } from '../script/script.ts'
import { createSimulatorState } from '../script/state.ts'
import { lastUserTurn } from '../script/user-turn.ts'
import type { BillLine } from '../server/bill.ts'
import {
  type Exchange,
  type ReceivedRequest,
  type SimulatedServer,
  startSimulatedServer,
} from '../server/simulated-server.ts'
import { createWindow } from '../server/window.ts'
import { playReply, sendError } from './reply.ts'

/**
 * Pandotate's wire format over HTTP, with a simulated model: `POST /api/inference`, JSON in and JSON out, never a
 * stream. The model's name encodes the behaviour, including failures of the connection.
 */
export interface SimulatedPandotate extends Omit<SimulatedServer, 'origin' | 'bill'> {
  /** The address of its one route. */
  readonly url: string
  /** The bill of whole answers. It uses the true counts, not the reported ones. */
  bill(): Bill
}

export type PandotateOptions = {
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  /** The required bearer token; undefined: none. */
  readonly key?: string | undefined
  /** The price of every model; undefined: unknown. */
  readonly price?: Price | undefined
  /** The maximum number of requests per 10 s; undefined: unlimited. */
  readonly maxRequests?: number | undefined
  /** The delay of every answer in milliseconds; undefined: only what the model's name requests. */
  readonly slowMs?: number | undefined
}

export type Bill = {
  readonly answers: number
  readonly promptTokens: number
  readonly completionTokens: number
}

/** Resolves when the server listens; rejects if it cannot. */
export async function simulatePandotate(options: PandotateOptions): Promise<SimulatedPandotate> {
  const state = createSimulatorState(options.slowMs)
  const isOverLimit = createWindow(options.maxRequests ?? Number.POSITIVE_INFINITY, () => performance.now())
  const tariff = () => options.price
  const server = await startSimulatedServer({ ...options, tariff }, async (exchange) => {
    exchange.response.setHeader('x-request-id', `pandotate-${exchange.number}`)
    const read = readRequest(exchange.request, options.key)
    const asked = 'error' in read || !isOverLimit() ? read : { status: 429, error: 'Too many requests' }
    if ('error' in asked) {
      sendError(exchange.response, asked.status, asked.error)
      return
    }
    await answer(exchange, asked, state.scriptFor(asked.model, asked.request))
  })
  const { origin, ...shared } = server
  return { ...shared, url: origin + route, bill: () => sumOf(server.bill()) }
}

const route = '/api/inference'

type ParsedRequest = { readonly model: string; readonly request: Omit<ScriptRequest, 'failures'> }

type RequestError = { readonly status: number; readonly error: string }

async function answer(exchange: Exchange, { model }: ParsedRequest, script: Script): Promise<void> {
  const counts = await playReply(script, model, exchange)
  if (counts === undefined) return
  const { promptTokens, completionTokens } = counts
  exchange.charge({ model, promptTokens, cachedTokens: 0, completionTokens, workedMs: undefined })
}

function readRequest(
  { method, path, headers, body: text }: ReceivedRequest,
  key?: string,
): ParsedRequest | RequestError {
  if (isTooLarge(headers, text)) return { status: 413, error: 'Request body too large' }
  if (path.split('?')[0] !== route) return { status: 404, error: 'Not found' }
  if (method !== 'POST') return { status: 405, error: 'Method not allowed' }
  const { authorization } = headers
  if (key !== undefined && authorization !== `Bearer ${key}`) {
    return { status: 401, error: authorization === undefined ? 'Missing API key' : 'Invalid API key' }
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

/** True for a body that was too large to keep. Only its announced length is known. */
function isTooLarge(headers: ReceivedRequest['headers'], text: string): boolean {
  return text === '' && Number(headers['content-length'] ?? 0) > 0
}

function parseBody(text: string): JsonObject | undefined {
  try {
    const body = parseJson(text)
    return isObject(body) ? body : undefined
  } catch {
    return undefined
  }
}

function sumOf(lines: readonly BillLine[]): Bill {
  let promptTokens = 0
  let completionTokens = 0
  for (const line of lines) {
    promptTokens += line.promptTokens
    completionTokens += line.completionTokens
  }
  return { answers: lines.length, promptTokens, completionTokens }
}
