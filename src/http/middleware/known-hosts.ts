import { isIP, isIPv4 } from 'node:net'
import { hostname, networkInterfaces } from 'node:os'

/** Checks the Host of requests, as a protection against DNS rebinding. */
export interface HostCheck {
  /** `host` is the header's value, with or without a port. `local` is the local address of the connection. */
  accepts(host: string, local: string | undefined): boolean
}

export type HostSettings = {
  /** True if a key is required. Any Host is then accepted, because a page cannot know the key. */
  readonly asksForKeys: () => boolean
  readonly allowUnauthenticated: boolean
  readonly allowedHosts: readonly string[]
}

/** The machine's own name and addresses. */
export type Machine = { readonly name: string; readonly addresses: () => readonly string[] }

/**
 * Creates the check. With DNS rebinding, the name of a foreign page resolves to this machine, so that its browser
 * treats the gateway as the page's own origin. Only the Host reveals that. Names that only this machine can have are
 * accepted. With `allowUnauthenticated`, names of private networks are accepted too.
 */
export function createHostCheck(
  { asksForKeys, allowUnauthenticated, allowedHosts }: HostSettings,
  machine: Machine = thisMachine,
): HostCheck {
  const name = machine.name.toLowerCase()
  const own = new Set(['localhost', 'host.docker.internal', name, name.split('.')[0] ?? name])
  own.delete('')
  const allowed = allowedHosts.map((host) => host.toLowerCase())
  const accepted = new Set<string>()
  const isKnown = (host: string, local: string | undefined): boolean => {
    const parts = /^(?:\[([0-9a-f:.]+)\]|([^\s:/@?#[\]\\]+?)\.?)(?::\d{0,5})?$/i.exec(host.toLowerCase())
    if (parts === null) return false
    const [, address, other = ''] = parts
    if (address !== undefined || isIP(other) !== 0) {
      const ip = canonical(address ?? other)
      return ip !== undefined && (isOwn(ip, local, machine) || allowed.some((one) => canonical(one) === ip))
    }
    if (own.has(other) || other.endsWith('.localhost')) return true
    if (allowed.some((one) => matches(one, other, host.toLowerCase()))) return true
    return allowUnauthenticated && isPrivateName(other)
  }
  return {
    accepts(host, local) {
      if (asksForKeys() || accepted.has(host)) return true
      if (!isKnown(host, local)) return false
      // Cached, because callers use few names.
      if (accepted.size < mostKept) accepted.add(host)
      return true
    },
  }
}

const mostKept = 64

const thisMachine: Machine = {
  name: hostname(),
  addresses: () =>
    Object.values(networkInterfaces()).flatMap((addresses = []) => addresses.map(({ address }) => address)),
}

/** True for a name without a dot, or in a domain that only private networks resolve. */
function isPrivateName(name: string): boolean {
  return !name.includes('.') || /\.(?:local|internal|svc)$/.test(name)
}

/** `*.example.com` matches any name below it. A name with a port matches only that port. */
function matches(allowed: string, name: string, host: string): boolean {
  if (allowed.startsWith('*.')) return name.endsWith(allowed.slice(1))
  return allowed === name || allowed === host
}

function isOwn(ip: string, local: string | undefined, machine: Machine): boolean {
  if (ip === '::' || ip === '::1' || ip === '0.0.0.0' || (isIPv4(ip) && ip.startsWith('127.'))) return true
  if (local !== undefined && canonical(local) === ip) return true
  return machine.addresses().some((address) => canonical(address) === ip)
}

/** The canonical form of an IP address; IPv4 in IPv6 becomes IPv4. Undefined for anything else. */
function canonical(address: string): string | undefined {
  const bare = address.replace(/^\[|\]$/g, '').replace(/%.*$/, '')
  const version = isIP(bare)
  if (version === 4) return bare
  if (version === 0) return undefined
  const short = new URL(`http://[${bare}]`).hostname.slice(1, -1)
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(short)
  if (mapped === null) return short
  const [high, low] = [Number.parseInt(mapped[1] ?? '', 16), Number.parseInt(mapped[2] ?? '', 16)]
  return [high >> 8, high & 255, low >> 8, low & 255].join('.')
}
