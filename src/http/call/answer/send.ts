import type { IncomingMessage, ServerResponse } from 'node:http'
import type { JsonObject } from '../../../core/model/json/json.ts'

/** Header names and values in turn, the fastest form for `writeHead`. */
export type FlatHeaders = readonly string[]

/**
 * Answers with a text, by default JSON. If the request's body was not read to its end, the connection is closed
 * afterwards, because the start of the next request is unknown. Until then, input is discarded for up to 2 s.
 */
export function sendText(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  text: string,
  headers: FlatHeaders,
  contentType = 'application/json',
): void {
  if (response.destroyed || response.headersSent) return
  const length = String(Buffer.byteLength(text))
  const all = [...headers, 'content-type', contentType, 'content-length', length, ...always]
  if (request.complete || !mayHaveBody(request)) {
    response.writeHead(status, all)
    response.end(text)
    return
  }
  response.writeHead(status, [...all, 'connection', 'close'])
  response.write(text)
  linger(request, response)
}

const always: FlatHeaders = ['cache-control', 'no-store', 'x-content-type-options', 'nosniff']

/** As `sendText`, from a value. */
export function sendJson(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  body: JsonObject,
  headers: FlatHeaders = [],
): void {
  sendText(request, response, status, JSON.stringify(body), headers)
}

function mayHaveBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

/**
 * Reads and discards input before closing. Closing a socket with unread bytes resets it, and the caller may lose the
 * answer.
 */
function linger(request: IncomingMessage, response: ServerResponse): void {
  const close = () => {
    clearTimeout(timer)
    response.end()
  }
  const timer = setTimeout(close, lingerMs)
  request.once('end', close)
  request.once('close', close)
  request.resume()
}

const lingerMs = 2000
