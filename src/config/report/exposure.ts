import { isIPv4 } from 'node:net'
import type { JsonObject } from '../../core/model/json/json.ts'
import type { ConfigSchema } from '../schema.ts'
import { socketPrefix } from '../sections/server.ts'
import type { Config } from '../settings.ts'
import { secretsOf } from '../tenancy.ts'
import { finding } from './error-text.ts'
import type { Finding } from './problem.ts'

/**
 * Refuses to serve other machines, or the pages of any origin, without asking for a key, unless that is allowed in so
 * many words. Told beside the other problems, and not at all while the sections it depends on are wrong themselves.
 */
export function exposureOf(schema: ConfigSchema['shape'], tree: JsonObject): readonly Finding[] {
  const server = schema.server.safeParse(tree['server'])
  const auth = schema.auth.safeParse(tree['auth'])
  if (!server.success || !auth.success) return []
  const { host, allowUnauthenticated } = server.data
  const { keys, adminKeys } = secretsOf(auth.data)
  const findings: Finding[] = []
  if (isExposed({ host, keys, adminKeys, allowUnauthenticated })) {
    const told = `found ${finding(host, { type: 'string' })}, expected ${safer}, or ${guarded}`
    findings.push({ path: ['server', 'host'], told })
  }
  const cors = schema.cors.safeParse(tree['cors'])
  if (
    cors.success &&
    cors.data.origins.includes('*') &&
    keys.length + adminKeys.length === 0 &&
    !allowUnauthenticated
  ) {
    findings.push({ path: ['cors', 'origins'], told: `found "*", expected a list of origins, or ${guarded}` })
  }
  return findings
}

const safer = 'a loopback address (127.0.0.1, ::1, localhost)'

const guarded = 'keys in auth.keys, or server.allowUnauthenticated: true'

/** Whether a gateway that listens there serves other machines without asking for a key, and without leave to. */
export function isExposed({
  host,
  keys,
  adminKeys = [],
  allowUnauthenticated,
}: Pick<Config, 'host' | 'keys' | 'allowUnauthenticated'> & Partial<Pick<Config, 'adminKeys'>>): boolean {
  return !allowUnauthenticated && keys.length + adminKeys.length === 0 && !isLoopback(host)
}

/** Whether only this machine can reach the address. A Unix socket has its rights as a file beside. */
export function isLoopback(host: string): boolean {
  if (host.startsWith(socketPrefix)) return true
  return host === '::1' || host.toLowerCase() === 'localhost' || (isIPv4(host) && host.startsWith('127.'))
}
