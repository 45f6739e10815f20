import { answer } from '../../harness/raw-server.ts'
import type { Fault, Served } from './fault-upstream.ts'

/**
 * Answers whose status says no. None is charged for. Each repeats all it knows, the key and the prompt with it, as
 * some servers do when they fail.
 */
export const refusals: Readonly<Record<string, Fault>> = {
  ...Object.fromEntries(
    [400, 401, 402, 403, 404, 408, 422, 500, 502, 503, 504, 529, 999].map((status) => [
      `status-${status}`,
      (served: Served) => refuse(served, status),
    ]),
  ),
  'limited-ms': (served) => refuse(served, 429, { 'retry-after-ms': '30' }),
  'limited-second': (served) => refuse(served, 429, { 'retry-after': '1' }),
  'limited-date': (served) => refuse(served, 429, { 'retry-after': inASecond() }),
  'limited-past': (served) => refuse(served, 429, { 'retry-after': 'Thu, 01 Jan 1998 00:00:00 GMT' }),
  'limited-garbage': (served) => refuse(served, 429, { 'retry-after': 'soon, perhaps' }),
  'limited-ten': (served) => refuse(served, 429, { 'retry-after': '10' }),
  'limited-hour': (served) => refuse(served, 429, { 'retry-after': '3600' }),
  'too-long': (served) => refuse(served, 400, {}, 'context_length_exceeded'),
  filtered: (served) => refuse(served, 400, {}, 'content_filter'),
  ...Object.fromEntries(
    [301, 302, 307, 308].map((status) => [
      `redirect-${status}`,
      (served: Served) => redirect(served, status),
    ]),
  ),
}

/** A header of an upstream's that no caller may ever see. */
export const upstreamHeaderCanary = 'upstreamheader88d0'

function refuse(
  served: Served,
  status: number,
  headers: Readonly<Record<string, string>> = {},
  code: string | null = null,
): void {
  const { authorization = '' } = served.headers
  const message = `Refused ${authorization} at http://10.9.8.7:1234/internal`
  const told = { 'set-cookie': upstreamHeaderCanary, 'x-upstream-secret': upstreamHeaderCanary, ...headers }
  served.socket.write(answer(JSON.stringify({ error: { message, code } }), { status, headers: told }))
  served.finish()
}

/** Where it points to, another server listens: see the case's own header. */
function redirect(served: Served, status: number): void {
  const { 'x-elsewhere': location = '' } = served.headers
  served.socket.write(answer('', { status, headers: { location } }))
  served.finish()
}

/** HTTP's dates have no fractions: the second after the next. */
function inASecond(): string {
  return new Date(Date.now() + 1000).toUTCString()
}
