import { Failure } from '../../core/model/failure.ts'
import { isObject, type JsonObject, numberOf } from '../../core/model/json/json.ts'
import { type Asked, readHttpError, refusal } from '../http-error/http-error.ts'
import { parseAnswer, type WireAnswer } from '../wire/wire-answer.ts'
import type { JobReport } from './job-status.ts'

/** Why a finished job has no answer. The worker's details (host, traceback) are not passed on. */
export function jobFailure({ status, error, workerId }: JobReport, asked: Asked): Failure {
  const { provider } = asked
  if (status === 'timed out') return givenUp(provider)
  if (status === 'cancelled') {
    return new Failure('upstream_error', 'The upstream cancelled the job.', { provider, upstreamStatus: 200 })
  }
  const hidden = workerId === undefined ? [] : [workerId]
  return workerFailure(error, { ...asked, secrets: [...asked.secrets, ...hidden] })
}

/** The meaning of a worker's error, in any of its forms. */
export function workerFailure(error: unknown, asked: Asked): Failure {
  return meaningOf(saidIn(error), asked)
}

/** The same for an error that need not be a worker's: undefined if it has none of the forms. */
export function workerFailureIn(error: unknown, asked: Asked): Failure | undefined {
  const text = isObject(error) ? error['message'] : error
  if (typeof text !== 'string') return undefined
  const said = saidIn(text)
  const isWorkers = said.message !== text || said.refused !== undefined || timeouts.test(text)
  return isWorkers ? meaningOf(said, asked) : undefined
}

/** Reads a refusal of the job API: an answer whose status is an error, with the worker's message unwrapped. */
export function readJobRefusal(answer: WireAnswer, asked: Asked): Promise<Failure> {
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
type Said = {
  readonly message: string
  /** The answer of the server inside the worker, if that refused. */
  readonly refused: { readonly status: number; readonly text: string } | undefined
  /** Names of machines. */
  readonly hidden: readonly string[]
}

const timeouts = /executionTimeout exceeded|^job timed out\b/i

function meaningOf({ message, refused, hidden }: Said, asked: Asked): Failure {
  const { provider } = asked
  if (timeouts.test(message)) return givenUp(provider)
  const header = () => undefined
  const whoAsked = { ...asked, secrets: [...asked.secrets, ...hidden] }
  if (refused !== undefined) return refusal({ ...refused, header }, whoAsked)
  const text = JSON.stringify({ error: { message } })
  const failure = refusal({ status: 500, text, header }, whoAsked)
  // A worker error without a status: all that is known is that it failed.
  if (failure.kind !== 'upstream_error') return failure
  const { upstreamSaid } = failure
  return new Failure('upstream_error', 'The job failed at the upstream.', {
    provider,
    upstreamStatus: 200,
    upstreamSaid,
  })
}

function givenUp(provider: string): Failure {
  return new Failure('timeout', 'The upstream gave up the job: it took too long.', { provider })
}

/**
 * The forms of an error: text; JSON of an exception; `handler: … traceback: …` of a generator; a printed Python
 * dictionary; an object.
 */
function saidIn(error: unknown): Said {
  if (isObject(error)) return fromObject(error)
  const text = typeof error === 'string' ? error : ''
  const object = text.startsWith('{') ? parsedObject(text) : undefined
  if (object !== undefined) return fromObject(object)
  const printed = text.startsWith('{') ? pythonField(text, 'message') : undefined
  const [, handled] = /^handler: ([\s\S]*?)\s*\btraceback:/.exec(text) ?? []
  const message = printed ?? handled ?? text
  return { message, refused: refusedIn(message), hidden: [] }
}

function fromObject(error: JsonObject): Said {
  const inner = isObject(error['error']) ? error['error'] : error
  const words = [inner['error_message'], inner['message'], inner['error']]
  const message = words.find((word) => typeof word === 'string') ?? ''
  const hidden = [inner['hostname'], inner['worker_id']].filter((name) => typeof name === 'string')
  const code = numberOf(inner['code'])
  const isStatus = Number.isInteger(code) && code >= 400 && code <= 599
  const own = isStatus ? { status: code, text: JSON.stringify({ error: inner }) } : undefined
  return { message, refused: refusedIn(message) ?? own, hidden }
}

function refusedIn(message: string): Said['refused'] {
  const [, status, text] = /^vLLM returned HTTP ([45]\d\d): ([\s\S]*)$/.exec(message) ?? []
  return status === undefined || text === undefined ? undefined : { status: Number(status), text }
}

function unpacked(text: string): string {
  const error = parsedObject(text)?.['error']
  return typeof error === 'string' ? JSON.stringify({ error: { message: saidIn(error).message } }) : text
}

function parsedObject(text: string): JsonObject | undefined {
  const value = parseAnswer(text)
  return isObject(value) ? value : undefined
}

/**
 * The text under a key of a printed Python dictionary: `{'message': 'it\'s', 'code': None}`. Undefined if there is
 * none. Truncated text ends where it was cut.
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

// Python, Lexical analysis, "Escape sequences": those that repr() writes.
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
