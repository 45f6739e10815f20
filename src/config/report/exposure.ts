import { isIPv4 } from 'node:net'
import type { JsonObject } from '../../core/model/json/json.ts'
import type { ConfigSchema } from '../schema.ts'
import { socketPrefix } from '../sections/server.ts'
import type { Config } from '../settings.ts'
import { secretsOf } from '../tenancy.ts'
import { foundText } from './error-text.ts'
import type { Finding } from './problem.ts'

/**
 * Finds a configuration that serves other machines, or pages of any origin, without a key and without explicit
 * permission. It is reported together with other problems, but not while the sections that it depends on are invalid.
 */
export function exposureOf(schema: ConfigSchema['shape'], tree: JsonObject): readonly Finding[] {
  const server = schema.server.safeParse(tree['server'])
  const auth = schema.auth.safeParse(tree['auth'])
  if (!server.success || !auth.success) return []
  const { host, allowUnauthenticated } = server.data
  const { keys, adminKeys } = secretsOf(auth.data)
  const findings: Finding[] = []
  if (isExposed({ host, keys, adminKeys, allowUnauthenticated })) {
    const message = `found ${foundText(host, { type: 'string' })}, expected ${loopbackExpected}, or ${keysExpected}`
    findings.push({ path: ['server', 'host'], message })
  }
  const cors = schema.cors.safeParse(tree['cors'])
  if (
    cors.success &&
    cors.data.origins.includes('*') &&
    keys.length + adminKeys.length === 0 &&
    !allowUnauthenticated
  ) {
    findings.push({
      path: ['cors', 'origins'],
      message: `found "*", expected a list of origins, or ${keysExpected}`,
    })
  }
  return findings
}

const loopbackExpected = 'a loopback address (127.0.0.1, ::1, localhost)'

const keysExpected = 'keys in auth.keys, or server.allowUnauthenticated: true'

/** True if the gateway would serve other machines without a key and without explicit permission. */
export function isExposed({
  host,
  keys,
  adminKeys = [],
  allowUnauthenticated,
}: Pick<Config, 'host' | 'keys' | 'allowUnauthenticated'> & Partial<Pick<Config, 'adminKeys'>>): boolean {
  return !allowUnauthenticated && keys.length + adminKeys.length === 0 && !isLoopback(host)
}

/** True if only this machine can reach the address. The permissions of a Unix socket protect it too. */
export function isLoopback(host: string): boolean {
  if (host.startsWith(socketPrefix)) return true
  return host === '::1' || host.toLowerCase() === 'localhost' || (isIPv4(host) && host.startsWith('127.'))
}
