import { Failure, type FailureDetail, type FailureKind } from '../../core/model/failure.ts'

/** The progress of a request: waiting for a connection, sent, or partly answered. */
export type Phase = 'waiting' | 'sent' | 'body'

export type Sent = {
  /** The upstream's name. */
  readonly provider: string
  /** It was sent on a reused connection, which was closed at once and without a byte of an answer. */
  readonly isStale?: boolean
  /** All of the request was handed to the network; absent: it was, or that is unknown. */
  readonly isSentInFull?: boolean | undefined
}

/**
 * The Failure for an error of the connection. The message contains no address; the error is the `cause`. Any other
 * error is our own bug, and is returned unchanged.
 */
export function connectionFailure(error: Error, phase: Phase, how: Sent): unknown {
  const { provider, isStale = false, isSentInFull = true } = how
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  const mayBeBilled = phase !== 'waiting' && isSentInFull
  const fail = (kind: FailureKind, message: string) =>
    new Failure(kind, message, { provider, mayBeBilled, isStale, cause: error })
  if (closing.has(code)) return fail('draining', 'The gateway is shutting down.')
  if (mistakes.has(code)) return error
  if (phase === 'waiting') return fail('unreachable', `The upstream could not be reached: ${reach(code)}.`)
  if (isGarbage(error, code) && !(phase === 'body' && isCut(error, code))) {
    return noHttp({ provider, mayBeBilled, cause: error })
  }
  return phase === 'sent'
    ? fail('unreachable', 'The upstream closed the connection without an answer.')
    : fail('interrupted', 'The upstream broke off before its answer was complete.')
}

const closing: ReadonlySet<string> = new Set(['UND_ERR_DESTROYED', 'UND_ERR_CLOSED'])

const mistakes: ReadonlySet<string> = new Set([
  'UND_ERR_INVALID_ARG',
  'UND_ERR_NOT_SUPPORTED',
  'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH',
])

export function unreached(provider: string): Failure {
  return new Failure('unreachable', 'The upstream could not be reached: connecting timed out.', { provider })
}

export function noHttp(detail: FailureDetail): Failure {
  return new Failure('invalid_response', 'The upstream did not answer in HTTP.', detail)
}

/**
 * undici gives only the name of parser errors; the code is undefined in version 8. Assertions fail on malformed
 * answers.
 */
function isGarbage(error: Error, code: string): boolean {
  return error.name === 'HTTPParserError' || garbage.has(code) || unasked.has(error.message)
}

/** undici reports an unexpected status 100 or 101 only in its message. */
const unasked: ReadonlySet<string> = new Set(['bad response', 'bad upgrade'])

/** Before the body begins, a wrong length means contradictory headers. */
function isCut(error: Error, code: string): boolean {
  return code === wrongLength || error.message.includes('Invalid EOF state')
}

const wrongLength = 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH'

const garbage: ReadonlySet<string> = new Set(['UND_ERR_HEADERS_OVERFLOW', 'ERR_ASSERTION', wrongLength])

function reach(code: string): string {
  const known = reasons.get(code)
  if (known !== undefined) return known
  if (/^ERR_SSL_|^EPROTO$/.test(code)) return 'it does not speak TLS, or no version in common'
  return /CERT|SIGNATURE|SIGNED|TLS|SSL/.test(code) ? 'its certificate was not accepted' : 'no connection'
}

const reasons: ReadonlyMap<string, string> = new Map([
  ['UND_ERR_CONNECT_TIMEOUT', 'connecting timed out'],
  ['ETIMEDOUT', 'connecting timed out'],
  ['ECONNREFUSED', 'the connection was refused'],
  ['ECONNRESET', 'the connection was reset'],
  ['ENOTFOUND', 'its host name is unknown'],
  ['EAI_AGAIN', 'its host name could not be looked up'],
  ['EHOSTUNREACH', 'there is no route to it'],
  ['ENETUNREACH', 'there is no route to it'],
])
