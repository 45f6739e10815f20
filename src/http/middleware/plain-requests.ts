import type { IncomingMessage } from 'node:http'
import type { Middleware } from 'koa'
import { Failure } from '../../core/model/failure.ts'
import type { HostCheck } from './known-hosts.ts'

/**
 * Refuses ambiguous requests: repeated keys or hosts, and other versions of HTTP. While no key is required, it also
 * refuses a foreign Host.
 */
export function refuseAmbiguous(hosts: HostCheck): Middleware {
  return function refuse(ctx, next) {
    const { req: request } = ctx
    requireVersion(request)
    requireSingle(request)
    requireHost(request, hosts)
    return next()
  }
}

function requireVersion({ httpVersionMajor, httpVersionMinor, headers }: IncomingMessage): void {
  if (httpVersionMajor !== 1 || httpVersionMinor > 1) throw unknownVersion()
  const expected = headers.expect
  if (expected === undefined || /^100-continue$/i.test(expected)) return
  throw new Failure('invalid_request', 'The gateway does not support this Expect header.', {
    code: 'expectation_failed',
    shown: { status: 417 },
  })
}

/** The error for versions other than HTTP/1.0 and HTTP/1.1. */
export function unknownVersion(): Failure {
  return new Failure('invalid_request', 'Send the request in HTTP/1.1.', {
    code: 'http_version_not_supported',
    shown: { status: 505 },
  })
}

/**
 * Refuses repeated headers. Node keeps the first and other software the last, so that a proxy may have checked the
 * other one.
 */
function requireSingle({ rawHeaders }: IncomingMessage): void {
  let seen = 0
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? ''
    // The length excludes most headers.
    const bit = bits[name.length]
    if (bit === undefined) continue
    const index = singular.indexOf(name.toLowerCase())
    if (index === -1) continue
    const mark = 1 << index
    if ((seen & mark) !== 0) {
      throw new Failure('invalid_request', `The header ${singularNames[index]} was sent twice.`, {
        code: 'duplicate_header',
      })
    }
    seen |= mark
  }
}

const singularNames = ['Authorization', 'Host', 'api-key', 'x-api-key'] as const
const singular: readonly string[] = singularNames.map((name) => name.toLowerCase())
const bits: readonly (true | undefined)[] = Array.from({ length: 16 }, (_, length) =>
  singular.some((name) => name.length === length) ? true : undefined,
)

function requireHost(request: IncomingMessage, { accepts }: HostCheck): void {
  const { host } = request.headers
  const { url = '' } = request
  if (host === undefined && request.httpVersionMinor === 1) {
    throw new Failure('invalid_request', 'The header Host is missing.', { code: 'missing_host' })
  }
  const local = request.socket.localAddress
  if (host !== undefined && !accepts(host, local)) throw misdirected()
  // A request line may contain an absolute URL, whose host overrides the header's.
  if (url.startsWith('/') || url === '*') return
  const named = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(url)?.[1]
  if (named !== undefined && !accepts(named, local)) throw misdirected()
}

/** The message does not repeat the name, because it is the caller's text. */
function misdirected(): Failure {
  const message =
    'This Host is not accepted while the gateway requires no key. Add it to server.allowedHosts in gateway.yaml, ' +
    'or set auth.keys.'
  return new Failure('invalid_request', message, { code: 'host_not_allowed', shown: { status: 421 } })
}
