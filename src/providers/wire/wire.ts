import { Pool } from 'undici'
import { createBatch } from '../../core/attempt/batch.ts'
import type { Attempt } from '../../core/model/ports.ts'
import { Exchange, type WireAnswer, type WireParts } from './exchange.ts'

/**
 * The connections to one upstream, and the only place that opens any. It asks once: no retry, no redirect, no
 * cookie, no decompression, no clock but that of connecting. The other clocks are the attempt's signal.
 */
export interface Wire {
  /**
   * Sends one request and resolves when the upstream's headers are there, whatever the status. Fills in the
   * attempt's notes. Rejects with a Failure, or with the signal's reason as soon as it aborts, be the request
   * waiting for a connection, sent, or answered in part.
   */
  post(path: string, headers: string[], body: string | Buffer, attempt: Attempt): Promise<WireAnswer>
  /**
   * As `post`, for whoever wants the answer whole: one with a status of 2xx that is neither an event stream nor compressed
   * is given once all of it is there, or more than `limitBytes`, or no more comes: its `text` has it, or throws, at once.
   */
  postForWhole(
    ...request: [path: string, headers: string[], body: string | Buffer, attempt: Attempt, limitBytes: number]
  ): Promise<WireAnswer>
  /** As `post`, without a body. */
  get(path: string, headers: string[], attempt: Attempt): Promise<WireAnswer>
  /** Drops every connection, with whatever is under way on it. */
  close(): Promise<void>
}

/** Opens no connection yet. */
export function createWire(parts: WireParts): Wire {
  const pool = new Pool(parts.origin, {
    connections: parts.connections,
    pipelining: 1,
    allowH2: false,
    connectTimeout: parts.connectMs,
    // An answer that is not streamed has no headers until it is complete: only the attempt knows how long to wait.
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: 30_000,
  })
  const exchanging = { ...parts, batch: createBatch() }
  const request = (
    method: 'GET' | 'POST',
    path: string,
    headers: readonly string[],
    body: string | Buffer | null,
    attempt: Attempt,
    wholeBytes = 0,
  ) => {
    const asked = { path, method, headers: [...headers, 'x-request-id', attempt.id], body }
    const exchange: Exchange = new Exchange(exchanging, attempt, wholeBytes, () =>
      pool.dispatch(asked, exchange),
    )
    if (!attempt.signal.aborted) pool.dispatch(asked, exchange)
    return exchange.answered
  }
  return {
    post: (path, headers, body, attempt) => request('POST', path, headers, body, attempt),
    postForWhole: (path, headers, body, attempt, limitBytes) =>
      request('POST', path, headers, body, attempt, limitBytes),
    get: (path, headers, attempt) => request('GET', path, headers, null, attempt),
    async close() {
      await pool.destroy()
    },
  }
}

/**
 * The headers of every request to an upstream, name and value in turn. They are made here, from nothing: no
 * header of a caller goes upstream.
 */
export function requestHeaders(
  userAgent: string,
  authorization: string | undefined,
  extra: Readonly<Record<string, string>> = {},
): string[] {
  const headers = [
    ...['content-type', 'application/json'],
    ...['accept', 'application/json, text/event-stream'],
    ...['accept-encoding', 'identity'],
    ...['user-agent', userAgent],
  ]
  for (const [name, value] of Object.entries(extra)) headers.push(name.toLowerCase(), value)
  if (authorization !== undefined) headers.push('authorization', authorization)
  return headers
}
