import type { FinishReason } from '../../core/model/call.ts'
import type { JsonObject } from '../../core/model/json/json.ts'
import type { Kind } from '../../core/model/terms.ts'
import { answerText, beforeStop, countWords, fillerWords, reasoningText, splitWords } from './answer.ts'
import { argumentsFor, splitArguments } from './arguments.ts'
import { type BehaviourName, parseName } from './behaviours.ts'

/**
 * The steps of a simulated upstream for a request; always the same for the same name and request. The steps stall, cut,
 * reset, refuse, garble and finish end the answer. Text after a cut or a stall is the rest that is not sent.
 */
export function scriptFor(model: string, request: ScriptRequest): Script {
  const { traits, fault } = parseName(model)
  if (fault !== undefined) return [{ type: 'refuse', status: 404, error: errorOf(404, fault) }]
  const slowMs = traits.get('slow') ?? 0
  const opening: Step[] = slowMs > 0 ? [{ type: 'wait', ms: slowMs }] : []
  const failure = failureIn(traits, request.failures ?? 0)
  return failure === undefined ? [...opening, ...answer(model, traits, request)] : [...opening, failure]
}

export type Script = readonly Step[]

export type Step =
  | { readonly type: 'wait'; readonly ms: number }
  /** Silence forever. */
  | { readonly type: 'stall' }
  /** The connection is closed during the answer. */
  | { readonly type: 'cut' }
  /** The connection is reset before any answer. */
  | { readonly type: 'reset' }
  | Refusal
  /** Status 200 with an unreadable body. */
  | { readonly type: 'garble'; readonly contentType: string; readonly body: string }
  | Piece
  | Finish

export type Refusal = {
  readonly type: 'refuse'
  readonly status: number
  readonly error: SimulatedError
  readonly retryAfterSeconds?: number
}

/** One token of an answer. */
export type Piece =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'reasoning'; readonly text: string }
  | ToolFragment

/** The first fragment of a tool call has its id and name; the others have parts of its arguments. */
export type ToolFragment = {
  readonly type: 'tool'
  readonly opens: { readonly id: string; readonly name: string } | undefined
  readonly fragment: string
}

export type Finish = {
  readonly type: 'finish'
  readonly reason: FinishReason
  /** The true counts. */
  readonly counts: Counts
  /** The reported counts; undefined if none are reported. */
  readonly reported: Counts | undefined
  /** Keys of the answer beyond its schema. */
  readonly extra: JsonObject
  /** True: a stream is sent byte by byte, with everything that is allowed between events. */
  readonly isRagged?: boolean
}

export type Counts = {
  readonly promptTokens: number
  readonly completionTokens: number
  readonly totalTokens: number
}

/** The inner part of OpenAI's error envelope. */
export type SimulatedError = {
  readonly message: string
  readonly type: string
  readonly param: string | null
  readonly code: string | null
}

export type ScriptRequest = {
  readonly kind: Kind
  /** The text to answer: the prompt, or a chat's last user message. */
  readonly prompt: string
  /** Undefined: the words of `prompt`. */
  readonly promptTokens?: number | undefined
  readonly maxTokens?: number | undefined
  readonly stop?: readonly string[]
  /** The tool to call. */
  readonly tool?: Tool | undefined
  /** The number of times that this request has already failed (`sim-flaky-N`). */
  readonly failures?: number
}

export type Tool = {
  readonly name: string
  /** JSON Schema of its arguments. */
  readonly parameters: unknown
}

type Traits = ReadonlyMap<BehaviourName, number>

/** The first failure of the name, in this order. */
function failureIn(traits: Traits, failures: number): Step | undefined {
  const flaky = traits.get('flaky') ?? 0
  if (failures < flaky) {
    const message = `Simulated failure ${failures + 1} of ${flaky}.`
    return { type: 'refuse', status: 503, error: errorOf(503, message) }
  }
  const status = traits.get('status')
  if (status !== undefined) {
    return { type: 'refuse', status, error: errorOf(status, `Simulated status ${status}.`) }
  }
  const seconds = traits.get('ratelimit')
  if (seconds !== undefined) {
    const error = errorOf(429, `Simulated rate limit. Please try again in ${seconds}s.`)
    return { type: 'refuse', status: 429, error, retryAfterSeconds: seconds }
  }
  if (traits.has('reset')) return { type: 'reset' }
  if (traits.has('badjson')) return { type: 'garble', contentType: 'application/json', body: brokenJson }
  if (traits.has('html')) return { type: 'garble', contentType: 'text/html; charset=utf-8', body: page }
  if (traits.has('empty')) return { type: 'garble', contentType: 'application/json', body: '{}' }
  return undefined
}

const brokenJson = '{"model": "sim-badjson", "output": "An answer that breaks off in the mid'
const page = '<!doctype html>\n<title>Simulated page</title>\n<h1>This is no answer</h1>\n'

function errorOf(status: number, message: string): SimulatedError {
  if (status === 429) return { message, type: 'requests', param: null, code: 'rate_limit_exceeded' }
  if (status >= 500) return { message, type: 'server_error', param: null, code: null }
  const type = 'invalid_request_error'
  if (status === 401) return { message, type, param: null, code: 'invalid_api_key' }
  if (status === 404) return { message, type, param: 'model', code: 'model_not_found' }
  return { message, type, param: null, code: null }
}

function answer(model: string, traits: Traits, request: ScriptRequest): Step[] {
  const limit = traits.has('length')
    ? Math.min(request.maxTokens ?? defaultLength, mostWords)
    : (request.maxTokens ?? Number.POSITIVE_INFINITY)
  const calls = traits.has('tools') && request.kind === 'chat' ? request.tool : undefined
  const thoughts = traits.has('reasoning') && request.kind === 'chat' ? reasoningPieces() : []
  const answered = calls === undefined ? answerPieces(model, traits, request, limit) : toolCall(calls)
  const wanted = [...thoughts, ...answered]
  const pieces = wanted.length > limit ? wanted.slice(0, limit) : wanted
  const ended = calls === undefined ? 'stop' : 'tool_calls'
  const counts = countsOf(request.promptTokens ?? countWords(request.prompt), pieces.length)
  const finish: Finish = {
    type: 'finish',
    reason: wanted.length > limit ? 'length' : ended,
    counts,
    reported: reportedCounts(traits, counts),
    extra: traits.has('extra') ? { region: 'eu-sim-1', queue_ms: 12 } : {},
    ...(traits.has('ragged') && { isRagged: true }),
  }
  return [...withPauses(pieces, traits), finish]
}

const defaultLength = 16
const mostWords = 100_000

function reasoningPieces(): Piece[] {
  return splitWords(reasoningText).map((text) => ({ type: 'reasoning', text }))
}

function answerPieces(model: string, traits: Traits, request: ScriptRequest, limit: number): Piece[] {
  const text = beforeStop(answerTextOf(model, traits, request, limit), request.stop ?? [])
  return splitWords(text).map((piece) => ({ type: 'text', text: piece }))
}

function answerTextOf(model: string, traits: Traits, request: ScriptRequest, limit: number): string {
  if (traits.has('length')) return fillerWords(limit + 1)
  const words = traits.get('long')
  if (words !== undefined) return fillerWords(words)
  return traits.has('echo') ? request.prompt : answerText(model, request.prompt)
}

function toolCall({ name, parameters }: Tool): Piece[] {
  const fragments = splitArguments(argumentsFor(parameters))
  const rest = fragments.map((fragment): Piece => ({ type: 'tool', opens: undefined, fragment }))
  return [{ type: 'tool', opens: { id: 'call_simulated', name }, fragment: '' }, ...rest]
}

function countsOf(promptTokens: number, completionTokens: number): Counts {
  return { promptTokens, completionTokens, totalTokens: promptTokens + completionTokens }
}

function reportedCounts(traits: Traits, counts: Counts): Counts | undefined {
  if (traits.has('nousage')) return undefined
  if (!traits.has('usage-weird')) return counts
  return { promptTokens: -7, completionTokens: 1e21, totalTokens: Number.NaN }
}

/**
 * Inserts pauses and interruptions between the pieces. An interruption after more pieces than there are comes at the
 * end.
 */
function withPauses(pieces: readonly Piece[], traits: Traits): Step[] {
  const dripMs = traits.get('drip') ?? 0
  const cutAt = positionOf(traits.get('cut'), pieces.length)
  const stallAt = positionOf(traits.get('stall'), pieces.length)
  const steps: Step[] = []
  for (let at = 0; at <= pieces.length; at++) {
    if (at === cutAt) steps.push({ type: 'cut' })
    if (at === stallAt) steps.push({ type: 'stall' })
    const piece = pieces[at]
    if (piece === undefined) break
    if (at > 0 && dripMs > 0) steps.push({ type: 'wait', ms: dripMs })
    steps.push(piece)
  }
  return steps
}

function positionOf(after: number | undefined, length: number): number | undefined {
  return after === undefined ? undefined : Math.min(after, length)
}
