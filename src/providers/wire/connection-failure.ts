import { Failure, type FailureKind } from '../../core/model/failure.ts'

/** How far a request has come: waiting for a connection, sent, or answered in part. */
export type Phase = 'waiting' | 'sent' | 'body'

/**
 * What an error of the connection means. The message names no address; the error itself stays as `cause`. An
 * error that is not the connection's is our own mistake, and is given back as it came.
 */
export function connectionFailure(error: Error, phase: Phase, provider: string): unknown {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  const mayBeBilled = phase !== 'waiting'
  const fail = (kind: FailureKind, message: string) =>
    new Failure(kind, message, { provider, mayBeBilled, cause: error })
  if (closing.has(code)) return fail('draining', 'The gateway is shutting down.')
  if (mistakes.has(code)) return error
  if (phase === 'waiting') return fail('unreachable', `The upstream could not be reached: ${reach(code)}.`)
  if (isGarbage(error, code) && !(phase === 'body' && isCut(error, code))) {
    return fail('invalid_response', 'The upstream did not answer in HTTP.')
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
  'ERR_ASSERTION',
])

/** Of parser errors undici tells the name; the code is undefined in version 8. */
function isGarbage(error: Error, code: string): boolean {
  return error.name === 'HTTPParserError' || code === 'UND_ERR_HEADERS_OVERFLOW' || code === wrongLength
}

/** Before the body begins, a wrong length means headers that contradict each other. */
function isCut(error: Error, code: string): boolean {
  return code === wrongLength || error.message.includes('Invalid EOF state')
}

const wrongLength = 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH'

function reach(code: string): string {
  const known = reasons.get(code)
  if (known !== undefined) return known
  return /CERT|SIGNATURE|SIGNED|TLS|SSL/.test(code) ? 'its certificate was not accepted' : 'no connection'
}

const reasons: ReadonlyMap<string, string> = new Map([
  ['UND_ERR_CONNECT_TIMEOUT', 'connecting timed out'],
  ['ETIMEDOUT', 'connecting timed out'],
  ['ECONNREFUSED', 'the connection was refused'],
  ['ECONNRESET', 'the connection was reset'],
  ['ENOTFOUND', 'its name is not known'],
  ['EAI_AGAIN', 'its name could not be looked up'],
  ['EHOSTUNREACH', 'there is no way to it'],
  ['ENETUNREACH', 'there is no way to it'],
])
