import { Failure, type FailureDetail, type FailureKind } from '../../core/model/failure.ts'
import type { WireAnswer } from '../wire/wire-answer.ts'
import { type ErrorBody, readErrorBody } from './error-body.ts'
import { extraFields } from './extra-fields.ts'
import { redact } from './redact.ts'
import { resetAfterMs, retryAfterMs } from './retry-after.ts'
import { withoutSecrets } from './secret-forms.ts'
import { withoutRequest } from './without-request.ts'

/** An answer whose status is an error. */
export type Refused = {
  readonly status: number
  header(name: string): string | undefined
  /** The body; '' if it could not be read. */
  readonly text: string
}

/** The context of a request, which decides what an upstream's error means. */
export type Asked = {
  /** The upstream's name. */
  readonly provider: string
  /** The model as the caller named it. */
  readonly model: string
  /** Whose key was sent. */
  readonly key: 'ours' | 'callers' | 'none'
  /** The setting of our key, for the operator. */
  readonly keySetting: string
  /** Secrets to remove wherever the upstream repeats them. */
  readonly secrets: readonly string[]
  readonly epochMs: number
  /** The kind of request: `embeddings`. Absent: a generated answer. */
  readonly ability?: string | undefined
  /** The address, if it serves only this kind of request: if nothing is there, it is wrong. */
  readonly address?: Address | undefined
  /** The text of the caller's request: addresses in it need no redaction. Absent: all are redacted. */
  readonly request?: (() => string) | undefined
}

export type Address = {
  readonly url: string
  /** The setting of the address, and its expected value. */
  readonly setting: string
}

/** For an upstream that takes no key. */
export const noKey = { key: 'none', keySetting: '', secrets: [] } as const satisfies Partial<Asked>

/** The meaning of an upstream's refusal for the caller, the operator and the retry decision. */
export function refusal(refused: Refused, asked: Asked): Failure {
  const body = readErrorBody(refused.text)
  const said =
    body.message === undefined
      ? ''
      : redact(body.message, asked.secrets, { request: requestIn(body.message, asked) })
  const word: Word = { ...refused, body, said, asked, header: (name) => refused.header(name) }
  return (aboutMeaning(word) ?? byStatus.get(refused.status) ?? byClass)(word)
}

/** Parsed only if there is something to look for. */
function requestIn(text: string, { request }: Asked): string {
  return text.includes('.') ? (request?.() ?? '') : ''
}

/** Reads an answer whose status is an error. If the body is unreadable, the status alone counts. */
export async function readHttpError(answer: WireAnswer, asked: Asked): Promise<Failure> {
  const { status } = answer
  let text = ''
  try {
    text = await answer.text(errorBytes)
  } catch (thrown) {
    if (!(thrown instanceof Failure) || !unreadable.has(thrown.kind)) throw thrown
  }
  return refusal({ status, text, header: (name) => answer.header(name) }, asked)
}

/** Longer than any error. */
const errorBytes = 64 * 1024

const unreadable: ReadonlySet<FailureKind> = new Set(['invalid_response', 'interrupted'])

type Word = Refused & { readonly body: ErrorBody; readonly said: string; readonly asked: Asked }

type Reading = (word: Word) => Failure

/** An explicit code counts more than the status. */
function aboutMeaning({ status, body }: Word): Reading | undefined {
  if (contextStatuses.has(status)) {
    if (contextPattern.test(`${body.code} ${body.type} ${body.message}`)) return contextLength
  }
  if (status === 413 && body.code === 'rate_limit_exceeded') return rateLimited
  if (status === 400 && body.code === 'rate_limited') return rateLimited
  if (status === 400 && isAboutAbsentModel(body)) return modelNotFound
  if (status === 400 && body.code === 'content_filter') return contentFiltered
  if (body.code === 'model_not_ready' || body.code === 'model_unavailable') return overloaded
  if (body.code === 'insufficient_quota' || body.type === 'insufficient_quota') return payment
  return undefined
}

const byStatus: ReadonlyMap<number, Reading> = new Map([
  [401, credentials],
  [402, payment],
  [403, credentials],
  [404, modelNotFound],
  [405, lacking],
  [408, trouble],
  // Truss's word for a model that does not load.
  [412, trouble],
  [424, trouble],
  [425, trouble],
  [429, rateLimited],
  // Groq's word for no capacity.
  [498, overloaded],
  // Its own client left, which we did not cause.
  [499, trouble],
  [501, notThere],
  [503, overloaded],
  [529, overloaded],
])

function byClass(word: Word): Failure {
  return word.status >= 400 && word.status < 500 ? rejected(word) : trouble(word)
}

/** Engines disagree on the status for a prompt that is too long; one reports it in mid-stream. */
const contextStatuses: ReadonlySet<number> = new Set([400, 403, 413, 422, 500])

const contextPattern =
  /context_length_exceeded|maximum context length|longer than the model's context length|max_new_tokens`? must be <=|`inputs` must have less than|exceeds the available context|context size has been exceeded|exceed_context_size/i

const absentModel: ReadonlySet<string> = new Set([
  'model_not_available',
  'model_not_found',
  'dedicated_endpoint_not_running',
  'model_decommissioned',
  'model_does_not_exist',
  'invalid_model',
])

/** The wording of DeepSeek, OpenRouter and LM Studio, which have no code for it. */
const absentModelPattern = /^Model Not Exist$|is not a valid model ID|^No models loaded/i

function isAboutAbsentModel({ code = '', type = '', message = '' }: ErrorBody): boolean {
  return absentModel.has(code) || absentModel.has(type) || absentModelPattern.test(message)
}

function contextLength(word: Word): Failure {
  // Clients recognise the case by these three words as much as by the code.
  const message = /maximum context length/i.test(word.said)
    ? word.said
    : `The request exceeds this model's maximum context length. ${word.said}`.trim()
  return fail('context_length', message, word, { param: word.body.param ?? null })
}

function modelNotFound(word: Word): Failure {
  if (isAboutPath(word)) return lacking(word)
  const known = /model|endpoint/i.test(word.said)
  const plain = `The model \`${word.asked.model}\` does not exist or you do not have access to it.`
  return fail('model_not_found', known ? word.said : plain, word, { param: 'model' })
}

/** FastAPI, llama.cpp, Express and others say this only of a path; an HTML page is never about a model. */
function isAboutPath({ body, text }: Word): boolean {
  if (body.message === undefined) return /^\s*<|^(?:404 )?(?:page )?not found\b/i.test(text)
  return isPathMessage.test(body.message)
}

const isPathMessage =
  /^(?:404:? ?)?(?:the )?(?:requested )?(?:page |file |path |route |url |uri |resource )?(?:was )?not found\.?$|^cannot (?:post|get) \/|invalid url|unknown (?:request )?(?:url|path)|no (?:such )?route|unrecognized request url/i

/** It lacks the path: then it lacks the ability, not the model; or the whole address is wrong. */
function lacking(word: Word): Failure {
  const { ability = 'such path', address } = word.asked
  if (address !== undefined) return pathNotFound(word.status, word.asked, address)
  return fail('unsupported', `This upstream has no ${ability}.`, word, { code: 'unsupported_endpoint' })
}

/** Nothing is at the configured address: the operator gets the address, the caller does not. */
export function pathNotFound(
  status: number,
  { provider, secrets }: Asked,
  { url, setting }: Address,
): Failure {
  return new Failure('path_not_found', 'The upstream has nothing at the address that is configured for it.', {
    ...{ provider, upstreamStatus: status, operatorNote: setting },
    askedUrl: withoutSecrets(url.replace(/[?#].*$/, ''), secrets, '…'),
  })
}

function contentFiltered(word: Word): Failure {
  return fail('content_filtered', word.said || "The upstream's content filter refused the request.", word)
}

/** A route or a feature that this server lacks. */
function notThere(word: Word): Failure {
  return fail('unsupported', word.said || 'The upstream does not support this request.', word)
}

function credentials(word: Word): Failure {
  const { key, keySetting } = word.asked
  if (key === 'callers') {
    return fail('unauthorized', 'The upstream refused the API key you sent.', word)
  }
  const operatorNote =
    key === 'ours' ? keySetting : `${keySetting} is not set, and the upstream asks for a key`
  return fail('upstream_auth', "The upstream refused the gateway's credentials.", word, { operatorNote })
}

function payment(word: Word): Failure {
  const { key, keySetting } = word.asked
  if (key === 'callers') {
    const message = 'The upstream says that the account of the API key you sent has no credit left.'
    return fail('rejected', message, word, { code: 'insufficient_quota' })
  }
  const operatorNote = `the account of ${keySetting} has no credit left`
  return fail('upstream_auth', "The upstream refused the gateway's account.", word, { operatorNote })
}

function rateLimited(word: Word): Failure {
  // The limit is only a guess at the wait: an explicit wait takes precedence.
  const waitMs = waitOf(word) ?? resetAfterMs(word.header, word.asked.epochMs)
  // Clients look for these words to know how long to wait.
  const wait = waitMs === undefined ? '' : ` Please try again in ${Math.max(1, Math.ceil(waitMs / 1000))}s.`
  const message = `The upstream's rate limit was reached.${wait}`
  return fail('rate_limited', message, word, { retryAfterMs: waitMs })
}

function overloaded(word: Word): Failure {
  // Other servers send `retry-after` with every answer: it counts only on statuses that ask to come back.
  const waitMs = waitOf(word)
  return fail('overloaded', 'The upstream has more requests than it can serve.', word, {
    retryAfterMs: waitMs,
  })
}

function trouble(word: Word): Failure {
  const status = `The upstream answered with status ${word.status}`
  return fail('upstream_error', isAboutRequest(word.said) ? `${status}: ${word.said}` : `${status}.`, word)
}

/** Some report unsupported parts of the request with a 5xx: the caller needs to know. */
function isAboutRequest(said: string): boolean {
  return requestParts.test(said) && refusals.test(said)
}

const requestParts =
  /\b(?:image|audio|video|file|input|prompt|message|role|tool|function|schema|grammar|template|parameter|argument|field|logprob|json|embedding)s?\b/i

const refusals =
  /\b(?:not (?:supported|allowed|implemented|enabled|valid)|unsupported|(?:does not|doesn't) support|invalid|must|cannot|can't|failed to (?:parse|decode|load|process|apply)|too (?:long|many|large)|missing|unknown|unexpected)\b/i

function rejected(word: Word): Failure {
  const message =
    word.said === '' ? `The upstream refused the request with status ${word.status}.` : word.said
  const { code, param } = word.body
  return fail('rejected', message, word, { code: plainWord(code), param: plainWord(param) })
}

function waitOf({ header, asked }: Word): number | undefined {
  return retryAfterMs(header, asked.epochMs)
}

/** A code or the path of a field, if it looks like one. */
function plainWord(value: string | undefined): string | null {
  return value !== undefined && /^[\w.[\]-]{1,100}$/.test(value) ? value : null
}

/** Without the request's text, repeated parts cannot be recognised, so nothing is passed on. */
function forOperators({ text, body, asked }: Word): string | undefined {
  const said = (body.message ?? text).slice(0, readCharacters)
  if (said === '' || asked.request === undefined) return undefined
  const own = withoutRequest(said, asked.request())
  return own === undefined ? undefined : redact(own, asked.secrets, { most: operatorCharacters })
}

const readCharacters = 4000
const operatorCharacters = 500

function fail(kind: FailureKind, message: string, word: Word, detail: FailureDetail = {}): Failure {
  const { asked, body } = word
  // The caller learns no more about our key and account.
  const isTold = kind !== 'upstream_auth' && Object.keys(body.extra).length > 0
  const extra = isTold ? extraFields(body.extra, asked.secrets, asked.request?.() ?? '') : undefined
  return new Failure(kind, message, {
    upstreamSaid: forOperators(word),
    ...(extra === undefined ? {} : { extra }),
    provider: word.asked.provider,
    upstreamStatus: word.status,
    ...detail,
  })
}
