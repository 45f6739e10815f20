import type { IncomingMessage } from 'node:http'
import { BlockList, isIP } from 'node:net'

/**
 * The proxies that are trusted to report a caller's address: their number in front of the gateway, or their addresses
 * (`10.0.0.0/8`, `::1`). 0 or an empty list: none.
 */
export type TrustProxy = number | readonly string[]

/**
 * Returns the address of the client that made a request; '' if there is none, as for a direct connection to a Unix
 * socket.
 */
export type CallerAddress = (request: IncomingMessage) => string

/**
 * Reads `x-forwarded-for` from its end, where each proxy appends its client's address. It stops at the first address
 * that is not a trusted proxy, because the caller may have written the rest.
 */
export function createCallerAddress(isTrusted: ProxyCheck): CallerAddress {
  return ({ socket, headers }) => {
    let address = plain(socket.remoteAddress ?? '')
    const forwarded = headers['x-forwarded-for']
    if (forwarded === undefined || !isTrusted(address, 0)) return address
    const hops = String(forwarded).split(',').toReversed()
    for (const [index, hop] of hops.entries()) {
      const before = plain(hop.trim())
      if (before === '') return address
      address = before
      if (!isTrusted(address, index + 1)) return address
    }
    return address
  }
}

/** True if the hop at this distance and address is a trusted proxy. */
export type ProxyCheck = (address: string, hop: number) => boolean

export function createProxyCheck(trusted: TrustProxy): ProxyCheck {
  if (typeof trusted === 'number') return (_, hop) => hop < trusted
  const isListed = listed(trusted)
  return (address) => isListed(plain(address))
}

function listed(ranges: readonly string[]): (address: string) => boolean {
  const list = new BlockList()
  for (const range of ranges) {
    const [address = '', bits] = range.split('/')
    const version = isIP(address)
    list.addSubnet(address, Number(bits ?? (version === 4 ? 32 : 128)), version === 4 ? 'ipv4' : 'ipv6')
  }
  // Clients of a Unix socket are the operator's proxies, because its permissions protect it.
  return (address) => {
    if (address === '') return ranges.length > 0
    return list.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6')
  }
}

/** The address without port, brackets, zone and the IPv6 form of an IPv4 address; '' for anything but an address. */
function plain(text: string): string {
  const [, bracketed] = /^\[([^\]]+)\](?::\d+)?$/.exec(text) ?? []
  const [, beforePort] = /^([\d.]+):\d+$/.exec(text) ?? []
  const address = (bracketed ?? beforePort ?? text).replace(/%.*$/, '').toLowerCase()
  const short = address.replace(/^::ffff:(?=\d+\.)/, '')
  return isIP(short) === 0 ? '' : short
}
