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
  /** The body as it stands; '' when it could not be read. */
  readonly text: string
}

/** Who asked, and how: what an upstream's word means depends on it. */
export type Asked = {
  /** The upstream's name. */
  readonly provider: string
  /** The model as the caller named it. */
  readonly model: string
  /** Whose key went with the request. */
  readonly key: 'ours' | 'callers' | 'none'
  /** The setting that holds our key, for the operator. */
  readonly keySetting: string
  /** What may not be told back, wherever the upstream repeats it. */
  readonly secrets: readonly string[]
  readonly epochMs: number
  /** What was asked for: `embeddings`. Absent: a model's answer. */
  readonly ability?: string | undefined
  /** Where it was asked, where that is all that it is asked for: if nothing is there, this is wrong. */
  readonly address?: Address | undefined
  /** The text of what the caller asked: an address that stands in it may be told back. Absent: none may. */
  readonly request?: (() => string) | undefined
}

export type Address = {
  readonly url: string
  /** The setting that holds it, and what it is to be. */
  readonly setting: string
}

/** For an upstream that takes no key. */
export const noKey = { key: 'none', keySetting: '', secrets: [] } as const satisfies Partial<Asked>

/** What an upstream's refusal means for the caller, for the operator, and for the decision to retry. */
export function refusal(refused: Refused, asked: Asked): Failure {
  const body = readErrorBody(refused.text)
  const said =
    body.message === undefined
      ? ''
      : redact(body.message, asked.secrets, { request: requestIn(body.message, asked) })
  const word: Word = { ...refused, body, said, asked, header: (name) => refused.header(name) }
  return (aboutMeaning(word) ?? byStatus.get(refused.status) ?? byClass)(word)
}

/** Not read where there is nothing to look for in it. */
function requestIn(text: string, { request }: Asked): string {
  return text.includes('.') ? (request?.() ?? '') : ''
}

/** Reads an answer whose status is an error. A body that cannot be read changes nothing of what the status says. */
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

/** More than any error says. */
const errorBytes = 64 * 1024

const unreadable: ReadonlySet<FailureKind> = new Set(['invalid_response', 'interrupted'])

type Word = Refused & { readonly body: ErrorBody; readonly said: string; readonly asked: Asked }

type Reading = (word: Word) => Failure

/** What is said outright counts for more than the status it is said with. */
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
  // Groq's word for having no room.
  [498, overloaded],
  // Its own client, which we did not cause to leave, left.
  [499, trouble],
  [501, notThere],
  [503, overloaded],
  [529, overloaded],
])

function byClass(word: Word): Failure {
  return word.status >= 400 && word.status < 500 ? rejected(word) : trouble(word)
}

/** Engines disagree on the status of a prompt that is too long; one says so in the middle of generating. */
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

/** In the words of DeepSeek, OpenRouter and LM Studio, which have no code for it. */
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

/** FastAPI, llama.cpp, Express and others say so of a path alone; a page of HTML never is about a model. */
function isAboutPath({ body, text }: Word): boolean {
  if (body.message === undefined) return /^\s*<|^(?:404 )?(?:page )?not found\b/i.test(text)
  return isPathMessage.test(body.message)
}

const isPathMessage =
  /^(?:404:? ?)?(?:the )?(?:requested )?(?:page |file |path |route |url |uri |resource )?(?:was )?not found\.?$|^cannot (?:post|get) \/|invalid url|unknown (?:request )?(?:url|path)|no (?:such )?route|unrecognized request url/i

/** It has no such path: what it lacks is the ability, and not the model; or it is not there at all. */
function lacking(word: Word): Failure {
  const { ability = 'such path', address } = word.asked
  if (address !== undefined) return pathNotFound(word.status, word.asked, address)
  return fail('unsupported', `This upstream has no ${ability}.`, word, { code: 'unsupported_endpoint' })
}

/** Nothing is where the configuration says: the operator is told where that is, and the caller is not. */
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

/** Of a route or a feature that this server does not have. */
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
  // The limit itself is a guess at when: what it says of coming back goes first.
  const waitMs = waitOf(word) ?? resetAfterMs(word.header, word.asked.epochMs)
  // Clients look for these very words to know how long to wait.
  const wait = waitMs === undefined ? '' : ` Please try again in ${Math.max(1, Math.ceil(waitMs / 1000))}s.`
  const message = `The upstream limits the rate of requests, and it was reached.${wait}`
  return fail('rate_limited', message, word, { retryAfterMs: waitMs })
}

function overloaded(word: Word): Failure {
  // Others send `retry-after` with every answer: it counts only where it says when to come back.
  const waitMs = waitOf(word)
  return fail('overloaded', 'The upstream has more requests than it can serve.', word, {
    retryAfterMs: waitMs,
  })
}

function trouble(word: Word): Failure {
  const status = `The upstream answered with status ${word.status}`
  return fail('upstream_error', isAboutRequest(word.said) ? `${status}: ${word.said}` : `${status}.`, word)
}

/** Some say with a 5xx what of the request they cannot do: that is for the caller, too. */
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

/** A code or the path of a field, when it looks like one. */
function plainWord(value: string | undefined): string | null {
  return value !== undefined && /^[\w.[\]-]{1,100}$/.test(value) ? value : null
}

/** Where the request is not known, what the upstream repeats of it is not, and nothing is told. */
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
  // Of our own key and account, the caller is told no more than that.
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
