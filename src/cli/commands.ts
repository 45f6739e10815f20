import { catalogDiff } from './catalog/diff.ts'
import { catalogUpdate } from './catalog/update.ts'
import { check } from './check.ts'
import type { Command } from './command.ts'
import { doctor } from './doctor.ts'
import { health } from './health.ts'
import { init } from './init.ts'
import { keyCommands } from './keys/keys.ts'
import { teamCommands } from './keys/teams.ts'
import { backup } from './ledger/backup.ts'
import { migrate } from './ledger/migrate.ts'
import { reconcile } from './ledger/reconcile/reconcile.ts'
import { usage } from './ledger/usage.ts'
import { savings } from './savings/savings.ts'
import { serve } from './serve.ts'
import { simulate } from './simulation/simulate.ts'

/** All commands. To add one, write a file and add a line here. */
export const commands: readonly Command[] = [
  serve,
  init,
  check,
  doctor,
  catalogUpdate,
  catalogDiff,
  savings,
  simulate,
  health,
  ...keyCommands,
  ...teamCommands,
  usage,
  reconcile,
  migrate,
  backup,
]
