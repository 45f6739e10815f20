import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { Failure } from '../../core/model/failure.ts'
import { spell } from '../../core/model/json/json.ts'
import { openAiError } from '../../dialects/openai/error.ts'
import type { NewId } from './request-id.ts'

/**
 * Answers a request that Node's parser could not read, and closes the connection, because the start of the next request
 * is unknown. The error is in OpenAI's format, because the path is unknown.
 */
export function answerUnparsed(error: Error, socket: Duplex, newId: NewId): void {
  const failure = failureOf(
    isOfOtherVersion(error) ? 'other version' : 'code' in error ? error.code : undefined,
  )
  const body = JSON.stringify(openAiError(failure))
  const { status } = failure
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    `x-request-id: ${newId()}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    'cache-control: no-store',
    'x-content-type-options: nosniff',
    'connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
}

/** True for another version of HTTP. The parser reports the same code for a wrong line end. */
function isOfOtherVersion(error: Error & { readonly code?: unknown; readonly reason?: unknown }): boolean {
  return error.code === 'HPE_INVALID_VERSION' && !/^Expected (?:CRLF|dot)/.test(spell(error.reason))
}

function failureOf(code: unknown): Failure {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return refusal(
        431,
        'request_header_fields_too_large',
        'The headers are larger than the 64 KiB allowed.',
      )
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return refusal(413, 'request_too_large', 'The chunk extensions of the body are too large.')
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return refusal(408, 'request_timeout', 'The request took too long to arrive.')
    case 'other version':
    case 'HPE_PAUSED_H2_UPGRADE':
      return refusal(505, 'http_version_not_supported', 'Send the request in HTTP/1.1.')
    default:
      return refusal(400, 'malformed_request', 'The request is not valid HTTP/1.1.')
  }
}

function refusal(status: number, code: string, message: string): Failure {
  return new Failure('invalid_request', message, { code, shown: { status } })
}
