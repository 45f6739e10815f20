import type { IncomingMessage } from 'node:http'
import { BlockList, isIP } from 'node:net'

/**
 * The proxies whose word is taken for where a call came from: how many stand in front of the gateway, or their
 * addresses
 * (`10.0.0.0/8`, `::1`). 0 and an empty list: none.
 */
export type TrustProxy = number | readonly string[]

/**
 * The address of the client that made a request; '' where there is none, as at a Unix socket that is asked directly.
 */
export type CallerAddress = (request: IncomingMessage) => string

/**
 * Reads `x-forwarded-for` from its end, where each proxy adds the address it was asked by, and never past the first
 * address that no trusted proxy vouches for: the caller may have written anything before it.
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

/** Whether what is so many hops before the gateway, at this address, is a proxy that is believed. */
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
  // A Unix socket's rights are its guard: who may connect there is a proxy of the operator's own.
  return (address) => {
    if (address === '') return ranges.length > 0
    return list.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6')
  }
}

/** Without port, brackets, zone, or what makes an IPv4 address one of IPv6's; '' for what is no address. */
function plain(text: string): string {
  const [, bracketed] = /^\[([^\]]+)\](?::\d+)?$/.exec(text) ?? []
  const [, beforePort] = /^([\d.]+):\d+$/.exec(text) ?? []
  const address = (bracketed ?? beforePort ?? text).replace(/%.*$/, '').toLowerCase()
  const short = address.replace(/^::ffff:(?=\d+\.)/, '')
  return isIP(short) === 0 ? '' : short
}
