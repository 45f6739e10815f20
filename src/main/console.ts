import { randomFillSync } from 'node:crypto'
import { Failure } from '../core/model/failure.ts'
import type { Clock } from '../core/model/ports.ts'
import type { SharedCache } from '../core/model/shared/cache.ts'
import type { ConsoleBundle, ConsoleFiles, ConsoleParts } from '../http/routes/console.ts'
import { createSessions } from '../tenants/keys/sessions.ts'
import { bundleOf, consoleFolder, makeConsole, readMade } from './console-bundle.ts'

/** The console: its files and its sessions. */
export function createConsole(cache: SharedCache, clock: Clock): NonNullable<ConsoleParts['console']> {
  const sessions = createSessions(cache, clock, (bytes) => void randomFillSync(bytes))
  return { files: createFiles(), sessions }
}

/** Built or read at the first request. */
function createFiles(): ConsoleFiles {
  let reading: Promise<ConsoleBundle> | undefined
  return {
    read() {
      reading ??= read().catch((cause: unknown) => {
        reading = undefined
        throw unmade(cause)
      })
      return reading
    },
  }
}

async function read(): Promise<ConsoleBundle> {
  return bundleOf(readMade(consoleFolder) ?? (await makeConsole(consoleFolder)))
}

function unmade(cause: unknown): Failure {
  const message =
    'The console cannot be built from source without the development packages, which `npm ci --include=dev` installs.'
  return new Failure('not_implemented', message, { code: 'console_not_made', cause })
}
