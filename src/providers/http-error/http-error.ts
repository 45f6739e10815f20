import { Failure, type FailureDetail, type FailureKind } from '../../core/model/failure.ts'
import type { WireAnswer } from '../wire/wire-answer.ts'
import { type ErrorBody, readErrorBody } from './error-body.ts'
import { extraFields } from './extra-fields.ts'
import { redact } from './redact.ts'
import { resetAfterMs, retryAfterMs } from './retry-after.ts'
import { withoutSecrets } from './secret-forms.ts'
import { withoutRequest } from './without-request.ts'

/** An answer whose status is an error. */
export type ErrorAnswer = {
  readonly status: number
  header(name: string): string | undefined
  /** The body; '' if it could not be read. */
  readonly text: string
}

/** The context of a request. It decides the meaning of an upstream's error. */
export type RequestContext = {
  /** The name of the upstream. */
  readonly provider: string
  /** The model name in the caller's request. */
  readonly model: string
  /** The owner of the key that was sent. */
  readonly key: 'ours' | 'callers' | 'none'
  /** The setting of our key, for messages to the operator. */
  readonly keySetting: string
  /** Secrets to remove from the upstream's texts. */
  readonly secrets: readonly string[]
  readonly epochMs: number
  /** The ability that the request needs, for example `embeddings`. */
  readonly ability?: string | undefined
  /** The address, if it serves only this kind of request. A missing path then means that the address is wrong. */
  readonly address?: Address | undefined
  /** The text of the caller's request. Addresses in it need no redaction. Absent: all addresses are redacted. */
  readonly request?: (() => string) | undefined
}

export type Address = {
  readonly url: string
  /** The setting of the address, and its expected value. */
  readonly setting: string
}

/** For an upstream that takes no key. */
export const noKey = { key: 'none', keySetting: '', secrets: [] } as const satisfies Partial<RequestContext>

/** The failure for an error answer: what the caller and the operator see, and whether the call is retried. */
export function failureOf(refused: ErrorAnswer, asked: RequestContext): Failure {
  const body = readErrorBody(refused.text)
  const message =
    body.message === undefined
      ? ''
      : redact(body.message, asked.secrets, { request: requestIn(body.message, asked) })
  const word: ErrorInContext = {
    ...refused,
    body,
    said: message,
    asked,
    header: (name) => refused.header(name),
  }
  return (byCode(word) ?? byStatus.get(refused.status) ?? byClass)(word)
}

/** The request's text is built only if the message may contain an address. */
function requestIn(text: string, { request }: RequestContext): string {
  return text.includes('.') ? (request?.() ?? '') : ''
}

/** Reads an answer whose status is an error. An unreadable body counts as empty. */
export async function readHttpError(answer: WireAnswer, asked: RequestContext): Promise<Failure> {
  const { status } = answer
  let text = ''
  try {
    text = await answer.text(errorBytes)
  } catch (thrown) {
    if (!(thrown instanceof Failure) || !unreadable.has(thrown.kind)) throw thrown
  }
  return failureOf({ status, text, header: (name) => answer.header(name) }, asked)
}

/** Longer than any error body of a known server. */
const errorBytes = 64 * 1024

const unreadable: ReadonlySet<FailureKind> = new Set(['invalid_response', 'interrupted'])

type ErrorInContext = ErrorAnswer & {
  readonly body: ErrorBody
  readonly said: string
  readonly asked: RequestContext
}

type ToFailure = (word: ErrorInContext) => Failure

/** An explicit code counts more than the status. */
function byCode({ status, body }: ErrorInContext): ToFailure | undefined {
  if (contextStatuses.has(status)) {
    if (contextPattern.test(`${body.code} ${body.type} ${body.message}`)) return contextLength
  }
  if (status === 413 && body.code === 'rate_limit_exceeded') return rateLimited
  if (status === 400 && body.code === 'rate_limited') return rateLimited
  if (status === 400 && isAboutAbsentModel(body)) return modelNotFound
  if (status === 400 && body.code === 'content_filter') return contentFiltered
  if (body.code === 'model_not_ready' || body.code === 'model_unavailable') return overloaded
  if (body.code === 'insufficient_quota' || body.type === 'insufficient_quota') return noCredit
  return undefined
}

const byStatus: ReadonlyMap<number, ToFailure> = new Map([
  [401, refusedKey],
  [402, noCredit],
  [403, refusedKey],
  [404, modelNotFound],
  [405, unsupportedPath],
  [408, upstreamError],
  // Truss: the model does not load.
  [412, upstreamError],
  [424, upstreamError],
  [425, upstreamError],
  [429, rateLimited],
  // Groq: no capacity.
  [498, overloaded],
  // The upstream reports that its client disconnected, but the gateway did not.
  [499, upstreamError],
  [501, unsupportedRequest],
  [503, overloaded],
  [529, overloaded],
])

function byClass(word: ErrorInContext): Failure {
  return word.status >= 400 && word.status < 500 ? rejected(word) : upstreamError(word)
}

/** Engines use different statuses for a prompt that is too long. One reports it inside the stream. */
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

/** The messages of DeepSeek, OpenRouter and LM Studio, which send no code for an absent model. */
const absentModelPattern = /^Model Not Exist$|is not a valid model ID|^No models loaded/i

function isAboutAbsentModel({ code = '', type = '', message = '' }: ErrorBody): boolean {
  return absentModel.has(code) || absentModel.has(type) || absentModelPattern.test(message)
}

function contextLength(word: ErrorInContext): Failure {
  // Clients recognise this error by the words "maximum context length" as well as by the code.
  const message = /maximum context length/i.test(word.said)
    ? word.said
    : `The request exceeds this model's maximum context length. ${word.said}`.trim()
  return fail('context_length', message, word, { param: word.body.param ?? null })
}

function modelNotFound(word: ErrorInContext): Failure {
  if (isAboutPath(word)) return unsupportedPath(word)
  const known = /model|endpoint/i.test(word.said)
  const plain = `The model \`${word.asked.model}\` does not exist or you do not have access to it.`
  return fail('model_not_found', known ? word.said : plain, word, { param: 'model' })
}

/** FastAPI, llama.cpp, Express and others use these messages only for a path. An HTML page is never about a model. */
function isAboutPath({ body, text }: ErrorInContext): boolean {
  if (body.message === undefined) return /^\s*<|^(?:404 )?(?:page )?not found\b/i.test(text)
  return isPathMessage.test(body.message)
}

const isPathMessage =
  /^(?:404:? ?)?(?:the )?(?:requested )?(?:page |file |path |route |url |uri |resource )?(?:was )?not found\.?$|^cannot (?:post|get) \/|invalid url|unknown (?:request )?(?:url|path)|no (?:such )?route|unrecognized request url/i

/** The path is missing: the server lacks the ability, or its configured address is wrong. */
function unsupportedPath(word: ErrorInContext): Failure {
  const { ability = 'such path', address } = word.asked
  if (address !== undefined) return pathNotFound(word.status, word.asked, address)
  return fail('unsupported', `This upstream has no ${ability}.`, word, { code: 'unsupported_endpoint' })
}

/** Nothing is at the configured address. The address is shown to the operator, not to the caller. */
export function pathNotFound(
  status: number,
  { provider, secrets }: RequestContext,
  { url, setting }: Address,
): Failure {
  return new Failure('path_not_found', 'The upstream has nothing at the address that is configured for it.', {
    ...{ provider, upstreamStatus: status, operatorNote: setting },
    askedUrl: withoutSecrets(url.replace(/[?#].*$/, ''), secrets, '…'),
  })
}

function contentFiltered(word: ErrorInContext): Failure {
  return fail('content_filtered', word.said || "The upstream's content filter refused the request.", word)
}

/** The server lacks a route or a feature. */
function unsupportedRequest(word: ErrorInContext): Failure {
  return fail('unsupported', word.said || 'The upstream does not support this request.', word)
}

function refusedKey(word: ErrorInContext): Failure {
  const { key, keySetting } = word.asked
  if (key === 'callers') {
    return fail('unauthorized', 'The upstream refused the API key you sent.', word)
  }
  const operatorNote =
    key === 'ours' ? keySetting : `${keySetting} is not set, and the upstream requires a key`
  return fail('upstream_auth', "The upstream refused the gateway's credentials.", word, { operatorNote })
}

function noCredit(word: ErrorInContext): Failure {
  const { key, keySetting } = word.asked
  if (key === 'callers') {
    const message = 'The account of the API key you sent has no credit left at the upstream.'
    return fail('rejected', message, word, { code: 'insufficient_quota' })
  }
  const operatorNote = `the account of ${keySetting} has no credit left`
  return fail('upstream_auth', "The upstream refused the gateway's account.", word, { operatorNote })
}

function rateLimited(word: ErrorInContext): Failure {
  // An explicit wait takes precedence over the reset time of the limit.
  const waitMs = retryAfterOf(word) ?? resetAfterMs(word.header, word.asked.epochMs)
  // Clients parse these words to find out how long to wait.
  const wait = waitMs === undefined ? '' : ` Please try again in ${Math.max(1, Math.ceil(waitMs / 1000))}s.`
  const message = `The upstream's rate limit was reached.${wait}`
  return fail('rate_limited', message, word, { retryAfterMs: waitMs })
}

function overloaded(word: ErrorInContext): Failure {
  // Some servers send `retry-after` with every answer, so it counts only for statuses that invite a retry.
  const waitMs = retryAfterOf(word)
  return fail('overloaded', 'The upstream has more requests than it can serve.', word, {
    retryAfterMs: waitMs,
  })
}

function upstreamError(word: ErrorInContext): Failure {
  const status = `The upstream answered with status ${word.status}`
  return fail('upstream_error', isAboutRequest(word.said) ? `${status}: ${word.said}` : `${status}.`, word)
}

/** Some servers report unsupported parts of the request with a 5xx. The caller needs to see such a message. */
function isAboutRequest(said: string): boolean {
  return requestParts.test(said) && refusals.test(said)
}

const requestParts =
  /\b(?:image|audio|video|file|input|prompt|message|role|tool|function|schema|grammar|template|parameter|argument|field|logprob|json|embedding)s?\b/i

const refusals =
  /\b(?:not (?:supported|allowed|implemented|enabled|valid)|unsupported|(?:does not|doesn't) support|invalid|must|cannot|can't|failed to (?:parse|decode|load|process|apply)|too (?:long|many|large)|missing|unknown|unexpected)\b/i

function rejected(word: ErrorInContext): Failure {
  const message =
    word.said === '' ? `The upstream refused the request with status ${word.status}.` : word.said
  const { code, param } = word.body
  return fail('rejected', message, word, { code: identifierIn(code), param: identifierIn(param) })
}

function retryAfterOf({ header, asked }: ErrorInContext): number | undefined {
  return retryAfterMs(header, asked.epochMs)
}

/** The value, if it has the form of an error code or of the path of a field. */
function identifierIn(value: string | undefined): string | null {
  return value !== undefined && /^[\w.[\]-]{1,100}$/.test(value) ? value : null
}

/**
 * The upstream's message for operators. Undefined without the request's text, because quotes of it could not be
 * removed.
 */
function forOperators({ text, body, asked }: ErrorInContext): string | undefined {
  const said = (body.message ?? text).slice(0, readCharacters)
  if (said === '' || asked.request === undefined) return undefined
  const own = withoutRequest(said, asked.request())
  return own === undefined ? undefined : redact(own, asked.secrets, { most: operatorCharacters })
}

const readCharacters = 4000
const operatorCharacters = 500

function fail(kind: FailureKind, message: string, word: ErrorInContext, detail: FailureDetail = {}): Failure {
  const { asked, body } = word
  // A caller must not see details of our key and account.
  const isShown = kind !== 'upstream_auth' && Object.keys(body.extra).length > 0
  const extra = isShown ? extraFields(body.extra, asked.secrets, asked.request?.() ?? '') : undefined
  return new Failure(kind, message, {
    upstreamSaid: forOperators(word),
    ...(extra === undefined ? {} : { extra }),
    provider: word.asked.provider,
    upstreamStatus: word.status,
    ...detail,
  })
}
