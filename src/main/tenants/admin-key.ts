import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from 'pino'
import type { MadeKey } from '../../admin/keys.ts'
import { type Config, ConfigError, isLoopback } from '../../config.ts'
import type { Changes } from '../../tenants/keys/changes.ts'
import type { Tenants } from '../../tenants/tenants.ts'
import { hasBudgets } from './ledger.ts'

export type AdminKeyParts = {
  readonly config: Config
  readonly tenants: Tenants
  readonly changes: Changes
  /** The data directory outlasts the process. */
  readonly isDurable: boolean
  readonly log: Logger
}

/** The management key in the file `admin-key` of the data directory. */
export function createMadeKey(parts: AdminKeyParts): MadeKey {
  return {
    require: () => makeAdminKey(parts),
    async keep(key, secret) {
      if (key.isMade === true) await writeSecret(secret, parts)
    },
  }
}

/** Creates it if there is no other. Not needed if nothing is configured and only this machine can connect. */
async function makeAdminKey(parts: AdminKeyParts): Promise<void> {
  const { config, tenants, changes, isDurable, log } = parts
  const { registry } = tenants
  const isNeeded = registry.hadKeys || !isLoopback(config.host)
  if (!isNeeded || registry.keys().some(({ kind }) => kind === 'management')) return
  if (!isDurable) {
    log.warn('this gateway cannot be managed: set ADMIN_KEY, or a writable data directory')
    return
  }
  const { secret } = changes.createKey('gateway', {
    ...{ kind: 'management', role: 'admin', name: 'admin-key', isDisabled: false, isMade: true },
    ...{ models: [], providers: [], budgets: [], rates: {}, tags: [] },
  })
  const path = await writeSecret(secret, parts)
  log.info({ path }, 'a management key was created: it is in this file')
  if (process.stderr.isTTY === true)
    process.stderr.write(`A management key was created (${path}): ${secret}\n`)
}

/** Returns the path. */
async function writeSecret(secret: string, { config }: AdminKeyParts): Promise<string> {
  const path = join(config.dataDirectory, 'admin-key')
  await writeFile(path, `${secret}\n`, { mode: 0o600 })
  // The mode above only applies to a file that did not exist.
  await chmod(path, 0o600)
  return path
}

/** Refuses budgets that a restart would forget. */
export function refuseForgetfulBudgets(
  config: Config,
  { registry }: Pick<Tenants, 'registry'>,
  isDurable: boolean,
): void {
  if (isDurable || !config.ledger.enabled) return
  const stored = { keys: registry.keys(), teams: registry.teams(), budgets: [] }
  if (!hasBudgets(config.tenants) && !hasBudgets(stored)) return
  const message = `found ${config.dataDirectory}, expected a writable directory, because there are budgets: set DATA_DIR`
  throw new ConfigError([{ source: config.source ?? 'environment', place: 'dataDirectory', message }])
}
