import type { IncomingMessage, ServerResponse } from 'node:http'
import type { JsonObject } from '../../../core/model/json/json.ts'

/** Header names and values in turn, the fastest form for `writeHead`. */
export type FlatHeaders = readonly string[]

/**
 * Answers with a JSON text. If the request's body has not been read to its end, the answer is sent, further input is
 * discarded for a while, and the connection is closed: the next request would not be recognisable.
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

/** Closing a socket with unread bytes resets it, which may overtake the answer: so a little more is read. */
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
