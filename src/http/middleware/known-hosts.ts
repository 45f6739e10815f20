import { isIP, isIPv4 } from 'node:net'
import { hostname, networkInterfaces } from 'node:os'

/** Tells the names under which the gateway is to be found from those that somebody else's page was served under. */
export interface HostCheck {
  /** `host` as the header has it, with or without a port; `local` is the address that the connection came to. */
  accepts(host: string, local: string | undefined): boolean
}

export type HostSettings = {
  /** Whether anybody is asked for a key at this moment: then the key tells who is meant, and any Host is answered. */
  readonly asksForKeys: () => boolean
  readonly allowUnauthenticated: boolean
  readonly allowedHosts: readonly string[]
}

/** What the machine goes by. */
export type Machine = { readonly name: string; readonly addresses: () => readonly string[] }

/**
 * A page whose name is made to lead to this machine, after it was loaded from elsewhere, is of the same origin as the
 * gateway for its browser: only the Host says where it came from. Names that only this machine can own are its own;
 * where the operator lets everybody in, those of a private network are, too.
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
      // Callers write the same few names again and again.
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

/** A name of one part, or one that only a private network's own servers give out. */
function isPrivateName(name: string): boolean {
  return !name.includes('.') || /\.(?:local|internal|svc)$/.test(name)
}

/** `*.example.com` is any name below; one with a port is that port alone. */
function matches(allowed: string, name: string, host: string): boolean {
  if (allowed.startsWith('*.')) return name.endsWith(allowed.slice(1))
  return allowed === name || allowed === host
}

function isOwn(ip: string, local: string | undefined, machine: Machine): boolean {
  if (ip === '::' || ip === '::1' || ip === '0.0.0.0' || (isIPv4(ip) && ip.startsWith('127.'))) return true
  if (local !== undefined && canonical(local) === ip) return true
  return machine.addresses().some((address) => canonical(address) === ip)
}

/** An address in one way of writing it; one of IPv4 in an IPv6 one as what it is. Undefined for what is none. */
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
