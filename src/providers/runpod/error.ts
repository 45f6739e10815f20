import { Failure } from '../../core/model/failure.ts'
import { isObject, type JsonObject, numberOf } from '../../core/model/json/json.ts'
import { failureOf, type RequestContext, readHttpError } from '../http-error/http-error.ts'
import { parseAnswer, type WireAnswer } from '../wire/wire-answer.ts'
import type { JobReport } from './job-status.ts'

/** The failure of a job that ended without an answer. Details of the worker (host, traceback) are removed. */
export function jobFailure({ status, error, workerId }: JobReport, asked: RequestContext): Failure {
  const { provider } = asked
  if (status === 'timed out') return timedOut(provider)
  if (status === 'cancelled') {
    return new Failure('upstream_error', 'The upstream cancelled the job.', { provider, upstreamStatus: 200 })
  }
  const hidden = workerId === undefined ? [] : [workerId]
  return workerFailure(error, { ...asked, secrets: [...asked.secrets, ...hidden] })
}

/** The failure for a worker's error in any of its forms. */
export function workerFailure(error: unknown, asked: RequestContext): Failure {
  return meaningOf(workerErrorIn(error), asked)
}

/** The same for an error that may not be a worker's: undefined if it has none of the forms. */
export function workerFailureIn(error: unknown, asked: RequestContext): Failure | undefined {
  const text = isObject(error) ? error['message'] : error
  if (typeof text !== 'string') return undefined
  const said = workerErrorIn(text)
  const isWorkers = said.message !== text || said.refused !== undefined || timeouts.test(text)
  return isWorkers ? meaningOf(said, asked) : undefined
}

/** Reads an error answer of the job API, and unwraps the worker's message in it. */
export function readJobRefusal(answer: WireAnswer, asked: RequestContext): Promise<Failure> {
  return readHttpError(
    {
      status: answer.status,
      header: (name) => answer.header(name),
      text: async (limitBytes) => unpacked(await answer.text(limitBytes)),
      chunks: () => answer.chunks(),
      discard: () => answer.discard(),
    },
    asked,
  )
}

/** A worker's message, unwrapped. */
type WorkerError = {
  readonly message: string
  /** The error answer of the server inside the worker, if there is one. */
  readonly refused: { readonly status: number; readonly text: string } | undefined
  /** Names of machines. */
  readonly hidden: readonly string[]
}

const timeouts = /executionTimeout exceeded|^job timed out\b/i

function meaningOf({ message, refused, hidden }: WorkerError, asked: RequestContext): Failure {
  const { provider } = asked
  if (timeouts.test(message)) return timedOut(provider)
  const header = () => undefined
  const whoAsked = { ...asked, secrets: [...asked.secrets, ...hidden] }
  if (refused !== undefined) return failureOf({ ...refused, header }, whoAsked)
  const text = JSON.stringify({ error: { message } })
  const failure = failureOf({ status: 500, text, header }, whoAsked)
  // Without a status, nothing is known but that the worker failed.
  if (failure.kind !== 'upstream_error') return failure
  const { upstreamSaid } = failure
  return new Failure('upstream_error', 'The job failed at the upstream.', {
    provider,
    upstreamStatus: 200,
    upstreamSaid,
  })
}

function timedOut(provider: string): Failure {
  return new Failure('timeout', 'The upstream stopped the job because it took too long.', { provider })
}

/**
 * Reads the forms of an error: text; JSON of an exception; `handler: … traceback: …` of a generator; a printed Python
 * dictionary; an object.
 */
function workerErrorIn(error: unknown): WorkerError {
  if (isObject(error)) return fromObject(error)
  const text = typeof error === 'string' ? error : ''
  const object = text.startsWith('{') ? parsedObject(text) : undefined
  if (object !== undefined) return fromObject(object)
  const printed = text.startsWith('{') ? pythonField(text, 'message') : undefined
  const [, handled] = /^handler: ([\s\S]*?)\s*\btraceback:/.exec(text) ?? []
  const message = printed ?? handled ?? text
  return { message, refused: refusedIn(message), hidden: [] }
}

function fromObject(error: JsonObject): WorkerError {
  const inner = isObject(error['error']) ? error['error'] : error
  const words = [inner['error_message'], inner['message'], inner['error']]
  const message = words.find((word) => typeof word === 'string') ?? ''
  const hidden = [inner['hostname'], inner['worker_id']].filter((name) => typeof name === 'string')
  const code = numberOf(inner['code'])
  const isStatus = Number.isInteger(code) && code >= 400 && code <= 599
  const own = isStatus ? { status: code, text: JSON.stringify({ error: inner }) } : undefined
  return { message, refused: refusedIn(message) ?? own, hidden }
}

function refusedIn(message: string): WorkerError['refused'] {
  const [, status, text] = /^vLLM returned HTTP ([45]\d\d): ([\s\S]*)$/.exec(message) ?? []
  return status === undefined || text === undefined ? undefined : { status: Number(status), text }
}

function unpacked(text: string): string {
  const error = parsedObject(text)?.['error']
  return typeof error === 'string'
    ? JSON.stringify({ error: { message: workerErrorIn(error).message } })
    : text
}

function parsedObject(text: string): JsonObject | undefined {
  const value = parseAnswer(text)
  return isObject(value) ? value : undefined
}

/**
 * The text under a key of a printed Python dictionary: `{'message': 'it\'s', 'code': None}`. Undefined if the key is
 * missing. A truncated text is returned as far as it goes.
 */
function pythonField(printed: string, key: string): string | undefined {
  const [opening, quote] = new RegExp(`['"]${key}['"]: (['"])`).exec(printed) ?? []
  if (opening === undefined || quote === undefined) return undefined
  const start = printed.indexOf(opening) + opening.length
  const [written = ''] = (quote === "'" ? inSingle : inDouble).exec(printed.slice(start)) ?? []
  return written.replace(escapes, unescaped)
}

const inSingle = /^(?:[^'\\]|\\.)*/s
const inDouble = /^(?:[^"\\]|\\.)*/s

// The escape sequences that Python's repr() writes (Python reference, "Lexical analysis").
const escapes = /\\(?:x([\da-f]{2})|u([\da-f]{4})|U([\da-f]{8})|(.))/gs

const controls: ReadonlyMap<string, string> = new Map([
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
])

function unescaped(_all: string, ...parts: readonly (string | undefined)[]): string {
  const [two, four, eight, plain = ''] = parts
  const digits = two ?? four ?? eight
  if (digits === undefined) return controls.get(plain) ?? plain
  const code = Number.parseInt(digits, 16)
  return code <= 0x10ffff ? String.fromCodePoint(code) : '\ufffd'
}
