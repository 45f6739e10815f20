import { announceFreed } from '../../core/health/shared-places.ts'
import type { Journal } from '../../core/model/journal.ts'
import { noJournal } from '../../core/model/journal.ts'
import type { Peer } from '../../state/primary/peer.ts'
import { serveResponses } from '../../state/primary/primary-responses.ts'
import { serveShared } from '../../state/primary/serve-shared.ts'
import type { Alert, AlertPost, SendAlert } from '../../tenants/budgets/alerts.ts'
import { lostCall } from '../../tenants/budgets/lost-calls.ts'
import type { Books } from '../tenants/books.ts'
import type { Commit } from './commits.ts'
import type { Fleet } from './fleet.ts'
import { isOfTenants } from './worker-start.ts'

/**
 * What workers ask the primary for: the shared state, the journal, and events that are reported once for all workers.
 */
export interface PrimaryService {
  open(books: Books): void
  attend(worker: Peer, owner: string): (isLost: boolean) => Promise<void>
  /** The journal that tenants write to: changes of keys and limits also reach the workers. */
  heard(journal: Journal): Journal
  /** The reason for which a worker refuses calls at the moment. Undefined if none does. */
  overload(): ShedReason | undefined
}

export type Pulse = {
  readonly overload: ShedReason | undefined
  /** When each key was last used. */
  readonly uses: readonly (readonly [key: string, epochMs: number])[]
}

type ShedReason = 'in_flight' | 'in_flight_bytes' | 'event_loop' | 'heap'

export type PrimaryServiceParts = {
  readonly fleet: () => Pick<Fleet, 'tell' | 'askAll'>
  readonly send: SendAlert
  readonly epochMs: () => number
}

export function createPrimaryService({ fleet, send, epochMs }: PrimaryServiceParts): PrimaryService {
  let opened: Books | undefined
  const books = () => {
    if (opened === undefined) throw new TypeError('The ledger is not open yet.')
    return opened
  }
  const overloads = new Map<string, ShedReason | undefined>()
  const tellOnce = createToldOnce()
  return {
    open(made) {
      opened = made
    },
    heard: (journal) => ({
      append(entry) {
        journal.append(entry)
        if (isOfTenants(entry)) fleet().tell('tenants', entry)
      },
      written: () => journal.written(),
      durable: () => journal.durable(),
      get takesHolds() {
        return journal.takesHolds
      },
    }),
    overload: () => overloads.values().find((reason) => reason !== undefined),
    attend(worker, owner) {
      const { shared, tenants, responses, ledger, journal = noJournal } = books()
      const serving = serveShared(worker, shared)
      serveResponses(worker, responses)
      worker.serve({
        // In one step: a checkpoint between a call's line and its cost would count the cost twice.
        commit({ entries, calls, charges, settlements }: Commit) {
          for (const entry of entries) journal.append(entry)
          if (calls !== undefined) ledger?.journal.appendCalls(calls)
          if (charges.length > 0) void shared.state.charge(charges)
          for (const { hold, charges } of settlements) void shared.state.settle(hold, charges)
          return journal.durable().then(() => journal.takesHolds)
        },
        alert: (alert: Alert, post: AlertPost | undefined, counter: string) => {
          if (tellOnce(counter, alert.at)) send(alert, post, counter)
        },
        pulse({ overload, uses }: Pulse) {
          overloads.set(owner, overload)
          for (const [key, at] of uses) {
            if (at > (tenants.registry.lastUse(key) ?? 0)) tenants.registry.noteUse(key, at)
          }
        },
        parting: () => true,
        generation: async (id: string, tenant: string | undefined) => {
          const found = await fleet().askAll('generation', id, tenant)
          return found[0]
        },
      })
      return async (isLost) => {
        serving[Symbol.dispose]()
        overloads.delete(owner)
        await abandon(owner, books(), isLost, epochMs)
      }
    },
  }
}

/** Cleans up after a worker that ended: its slots are free, and what it held may have been spent. */
async function abandon(
  owner: string,
  { shared, tenants, journal = noJournal }: Books,
  isLost: boolean,
  epochMs: () => number,
): Promise<void> {
  for (const { id, parts } of await shared.state.abandon(owner)) {
    const at = epochMs()
    const charges = parts.map(({ counter, nanoUsd }) => ({
      counter,
      spentNanoUsd: 0,
      uncertainNanoUsd: nanoUsd,
    }))
    // Its own line may not have arrived. If it has, the same line again changes nothing.
    journal.append({ type: 'hold', id, at, owner, parts, until: at })
    journal.append({ type: 'settle', id, at, charges, ...(isLost ? { reason: 'crash' as const } : {}) })
    if (isLost) journal.append(lostCall({ id, parts }, at, tenants.registry))
  }
  announceFreed(shared.bus)
  await shared.cache.abandon(owner)
}

/** By counter, the highest part that was reported: several workers see the same part at the same time. */
function createToldOnce(most = 10_000): (counter: string, part: number) => boolean {
  const seen = new Map<string, number>()
  return (counter, part) => {
    if (part <= (seen.get(counter) ?? 0)) return false
    seen.delete(counter)
    seen.set(counter, part)
    const [oldest] = seen.keys()
    if (seen.size > most && oldest !== undefined) seen.delete(oldest)
    return true
  }
}
