import { statSync } from 'node:fs'
import type { Config } from '../config.ts'
import { isObject } from '../core/model/json/json.ts'

/**
 * Whether a file of settings holds a key in so many words, and everybody on this machine may read it. Keys that it takes
 * from the environment, `${GATEWAY_KEY}`, are not in it.
 */
export function isExposedFile(path: string, text: string, config: Config): boolean {
  // Windows has no such rights: there all files look alike.
  if (process.platform === 'win32') return false
  const mode = statSync(path, { throwIfNoEntry: false })?.mode ?? 0
  return (mode & readableByOthers) !== 0 && holdsSecret(text, config)
}

const readableByOthers = 0o004

function holdsSecret(text: string, { keys, adminKeys, providers, tenants }: Config): boolean {
  const given = { keys: keys.map((key) => ({ key })), adminKeys, providers, tenants }
  return secretsIn(given, false).some((secret) => secret.length >= shortestSecret && text.includes(secret))
}

/** What is shorter may stand anywhere. */
const shortestSecret = 8

/** Texts under a name that says what they are, or under the headers of a provider. */
function secretsIn(value: unknown, isNamed: boolean): readonly string[] {
  if (typeof value === 'string') return isNamed ? [value] : []
  if (Array.isArray(value)) return value.flatMap((item) => secretsIn(item, isNamed))
  if (!isObject(value)) return []
  return Object.entries(value).flatMap(([name, inner]) => secretsIn(inner, secretName.test(name)))
}

const secretName = /(?:key|token|secret|password|authorization)$/i
