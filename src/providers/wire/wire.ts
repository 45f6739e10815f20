import { Client, type Dispatcher, Pool } from 'undici'
import { createBatch } from '../../core/attempt/batch.ts'
import type { Attempt } from '../../core/model/ports.ts'
import { createConnections } from './connections.ts'
import { Exchange } from './exchange.ts'
import type { WireParts } from './exchange-parts.ts'
import type { WireAnswer } from './wire-answer.ts'

/**
 * The connections to one upstream, and the only place that opens any. No retries except for a GET that was lost with a
 * reused connection, no redirects, no cookies, no decompression, and no clock but the one for connecting. The other
 * clocks are the attempt's signal.
 */
export interface Wire {
  /**
   * Sends one request and resolves with the upstream's headers, whatever the status. Fills in the attempt's notes.
   * Rejects with a Failure, or with the signal's reason as soon as it aborts, at any stage.
   */
  post(path: string, headers: string[], body: string | Buffer, attempt: Attempt): Promise<WireAnswer>
  /**
   * As `post`, for callers that want the answer whole. An answer of status 2xx that is neither an event stream nor
   * compressed is given when all of it is there, or more than `limitBytes`, or nothing more comes: its `text` then
   * returns or throws at once.
   */
  postForWhole(
    ...request: [path: string, headers: string[], body: string | Buffer, attempt: Attempt, limitBytes: number]
  ): Promise<WireAnswer>
  /** As `post`, without a body. */
  get(path: string, headers: string[], attempt: Attempt): Promise<WireAnswer>
  /** True after a call was answered with status 2xx. */
  hasServed(): boolean
  /** Closes every connection, with all that is in flight. */
  close(): Promise<void>
}

/** Opens no connection yet. */
export function createWire(parts: WireParts): Wire {
  const connections = createConnections(parts.connectMs, parts.clock)
  const options = {
    connect: connections.connect,
    pipelining: 1,
    allowH2: false,
    // A JSON answer has no headers until it is complete: only the attempt knows how long to wait.
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: 30_000,
  }
  const pool = new Pool(parts.origin, { ...options, connections: parts.connections })
  const fresh = createFreshConnections(() => new Client(parts.origin, options))
  const served = { any: false }
  const exchanging = { ...parts, connections, batch: createBatch() }
  const request = (
    method: 'GET' | 'POST',
    path: string,
    headers: readonly string[],
    body: string | Buffer | null,
    attempt: Attempt,
    wholeBytes = 0,
  ) => {
    const own = [...headers, 'x-request-id', attempt.id]
    if (attempt.trace !== undefined) own.push(...attempt.trace)
    const asked = { path, method, headers: own, body }
    const dispatcher = attempt.isFresh === true ? fresh : pool
    const exchange: Exchange = new Exchange(exchanging, attempt, {
      wholeBytes,
      served: method === 'POST' ? served : undefined,
      waitAgain: () => dispatcher.dispatch(asked, exchange),
      // Safe methods may be sent twice.
      sendAgain: method === 'GET' ? () => fresh.dispatch(asked, exchange) : undefined,
    })
    if (!attempt.signal.aborted) dispatcher.dispatch(asked, exchange)
    return exchange.answered
  }
  return {
    post: (path, headers, body, attempt) => request('POST', path, headers, body, attempt),
    postForWhole: (path, headers, body, attempt, limitBytes) =>
      request('POST', path, headers, body, attempt, limitBytes),
    get: (path, headers, attempt) => request('GET', path, headers, null, attempt),
    hasServed: () => served.any,
    async close() {
      await Promise.all([pool.destroy(), fresh.destroy()])
    },
  }
}

/** A new connection for each request, closed after its answer. */
function createFreshConnections(open: () => Client): Pick<Dispatcher, 'dispatch'> & Pick<Client, 'destroy'> {
  const clients = new Set<Client>()
  return {
    dispatch(asked, exchange) {
      const client = open()
      clients.add(client)
      const isOpen = client.dispatch({ ...asked, reset: true }, exchange)
      // Closing waits for what is in flight.
      void client.close().then(() => clients.delete(client))
      return isOpen
    },
    async destroy() {
      await Promise.all([...clients].map((client) => client.destroy()))
    },
  }
}

/**
 * The headers of every request to an upstream, as name and value in turn. They are built from scratch: no header of a
 * caller goes upstream, except the `tracestate` of a continued trace.
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
