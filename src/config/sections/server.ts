import { isIP } from 'node:net'
import * as z from 'zod'

/** Ranges of addresses by name. */
const named: Readonly<Record<string, readonly string[]>> = {
  loopback: ['127.0.0.0/8', '::1/128'],
  private: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16', 'fc00::/7', 'fe80::/10'],
}

/** `server` of gateway.yaml: the address, allowed hosts, trusted proxies, workers and TLS. */
export const serverSetting = z
  .strictObject({
    host: z.string().refine(isHost).meta({ expected: hostExpected() }).default('127.0.0.1'),
    port: z.int().min(0).max(65_535).default(8000),
    allowUnauthenticated: z.boolean().default(false),
    allowedHosts: z.array(z.string().refine(isAllowedHost).meta({ expected: allowedExpected() })).default([]),
    trustProxy: z
      .union([z.int().min(0).max(16), z.array(z.string().refine(isProxyAddress))])
      .meta({ expected: 'the number of proxies, or a list of addresses, ranges, loopback or private' })
      .transform((given) => (typeof given === 'number' ? given : given.flatMap((one) => named[one] ?? one)))
      .prefault(0),
    workers: z
      .union([z.int().min(1).max(256), z.literal('auto')])
      .meta({ expected: 'a whole number from 1 to 256, or auto: as many as there are processors' })
      .default(1),
    tls: z.strictObject({ cert: z.string().min(1), key: z.string().min(1) }).exactOptional(),
  })
  .prefault({})

/** The prefix of a host that is the path of a Unix socket. */
export const socketPrefix = 'unix:'

function hostExpected(): string {
  return 'a host name or an IP address, such as 127.0.0.1, or the path of a socket, such as unix:/run/gateway.sock'
}

function isHost(text: string): boolean {
  if (text.startsWith(socketPrefix)) return /^unix:\/[^\0]{1,100}$/.test(text)
  return isIP(text) !== 0 || /^[a-z0-9_]([a-z0-9_.-]{0,252}[a-z0-9_])?$/i.test(text)
}

function allowedExpected(): string {
  return 'a host name, such as gateway.example or *.example.com, or an IP address, with or without a port'
}

function isAllowedHost(text: string): boolean {
  if (isIP(text) !== 0) return true
  return /^(?:\[[0-9a-f:.]+\]|(?:\*\.)?[a-z0-9_](?:[a-z0-9_.-]{0,252}[a-z0-9_])?)(?::\d{1,5})?$/i.test(text)
}

function isProxyAddress(text: string): boolean {
  if (Object.hasOwn(named, text)) return true
  const [address = '', bits, ...rest] = text.split('/')
  const version = isIP(address)
  if (version === 0 || rest.length > 0) return false
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128))
}
