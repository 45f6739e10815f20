import type { Logger } from 'pino'
import type { MadeKey } from '../../admin/keys.ts'
import type { Config } from '../../config.ts'
import { type Journal, noJournal } from '../../core/model/journal.ts'
import type { Clock } from '../../core/model/ports.ts'
import type { ResponseStorage } from '../../core/model/response-storage.ts'
import { createMemoryResponses } from '../../core/reuse/memory-responses.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import type { Changes } from '../../tenants/keys/changes.ts'
import type { Tenants } from '../../tenants/tenants.ts'
import { responsesIn } from '../responses.ts'
import { openShared, type Shared } from '../shared.ts'
import { changesOf } from './admin.ts'
import { createMadeKey, refuseForgetfulBudgets } from './admin-key.ts'
import { openLedgerOf } from './ledger.ts'
import { nodeMoneyOf } from './node-money.ts'
import { recallKeys } from './recalled-keys.ts'
import { shareKeys } from './shared-keys.ts'
import { settleStored } from './stored-call.ts'
import { alertsBy, refuseDeclaredTwice, tenantsFor } from './tenants.ts'

export type Books = {
  readonly shared: Shared
  readonly tenants: Tenants
  readonly changes: Changes
  readonly madeKey: MadeKey
  /** Undefined: nothing outlasts the process. */
  readonly ledger: Ledger | undefined
  /** The journal of records. Undefined: they are only logged. */
  readonly journal: Journal | undefined
  /** The storage of responses for later requests. */
  readonly responses: ResponseStorage
}

/**
 * Tenants with their stored keys and money, and the ledger, to be released with `opening`. Events of the tenants pass
 * through `heard`.
 */
export async function openBooks(
  config: Config,
  clock: Clock,
  log: Logger,
  opening: AsyncDisposableStack,
  heard: (journal: Journal) => Journal = (journal) => journal,
): Promise<Books> {
  const shared = opening.use(await openShared(config, clock, log))
  const tenants = tenantsFor(config, clock, shared, { send: alertsBy(log) })
  const ledger = opening.use(await openLedgerOf(config, log, tenants))
  refuseForgetfulBudgets(config, tenants, ledger !== undefined)
  const journal = heard(ledger?.journal ?? noJournal)
  const { databaseUrl } = config.ledger
  const changes: Changes = changesOf(tenants, (entry) => keys.settleElsewhere(entry))
  const money = nodeMoneyOf(shared.money, tenants, changes)
  const keys = opening.use(
    shareKeys({
      ...{ tenants, shared, ledger, databaseUrl, journal, money, log },
      settleStored: (entry) => settleStored(entry, ledger?.reader, tenants.audit, changes),
    }),
  )
  await tenants.open(keys.telling(journal))
  refuseDeclaredTwice(config, tenants)
  await recallKeys(ledger, tenants, journal, log)
  await keys.begin()
  if (shared.report !== undefined && databaseUrl === undefined) log.warn(noSharedDatabase)
  const madeKey = createMadeKey({ config, tenants, changes, isDurable: ledger !== undefined, log })
  await madeKey.require()
  const lasting = opening.use(responsesIn(ledger?.store, config, clock, log))
  const responses = lasting ?? createMemoryResponses(clock, config.responses)
  return { shared, tenants, changes, madeKey, ledger, journal: ledger?.journal, responses }
}

const noSharedDatabase =
  'nodes over Redis share stored keys and records only over one DATABASE_URL: a node that was stopped does not know later changes'
