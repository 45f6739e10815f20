import { statSync } from 'node:fs'
import type { Config } from '../config.ts'
import { isObject } from '../core/model/json/json.ts'

/**
 * True if a configuration file contains a literal key and every user of this machine can read it. Keys from the
 * environment, such as `${GATEWAY_KEY}`, do not count.
 */
export function isExposedFile(path: string, text: string, config: Config): boolean {
  // Windows has no such permissions.
  if (process.platform === 'win32') return false
  const mode = statSync(path, { throwIfNoEntry: false })?.mode ?? 0
  return (mode & readableByOthers) !== 0 && holdsSecret(text, config)
}

const readableByOthers = 0o004

function holdsSecret(text: string, { keys, adminKeys, providers, tenants }: Config): boolean {
  const given = { keys: keys.map((key) => ({ key })), adminKeys, providers, tenants }
  return secretsIn(given, false).some((secret) => secret.length >= shortestSecret && text.includes(secret))
}

/** A shorter text may occur elsewhere in the file. */
const shortestSecret = 8

/** Texts under a secret's name, or under a provider's headers. */
function secretsIn(value: unknown, isNamed: boolean): readonly string[] {
  if (typeof value === 'string') return isNamed ? [value] : []
  if (Array.isArray(value)) return value.flatMap((item) => secretsIn(item, isNamed))
  if (!isObject(value)) return []
  return Object.entries(value).flatMap(([name, inner]) => secretsIn(inner, secretName.test(name)))
}

const secretName = /(?:key|token|secret|password|authorization)$/i
