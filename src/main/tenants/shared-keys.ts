import { setTimeout } from 'node:timers/promises'
import type { Logger } from 'pino'
import { Failure } from '../../core/model/failure.ts'
import type { Journal, ResolveEntry } from '../../core/model/journal.ts'
import { isObject } from '../../core/model/json/json.ts'
import type { SharedBus } from '../../core/model/shared/bus.ts'
import { type ChangeFeed, openChangeFeed } from '../../ledger/feed/change-feed.ts'
import type { NodeMoney } from '../../ledger/feed/node-money.ts'
import type { SettledElsewhere } from '../../ledger/feed/settlements.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import type { Tenants } from '../../tenants/tenants.ts'
import type { Shared } from '../shared.ts'
import { openChangeMessages, type TenantChange } from './change-messages.ts'
import { UnknownKeys } from './unknown-keys.ts'

export type SharedKeysParts = {
  readonly tenants: Tenants
  readonly shared: Shared
  readonly ledger: Ledger | undefined
  readonly databaseUrl: string | undefined
  /** Changes by other nodes are stored here too, so that they are known while the database is unavailable. */
  readonly journal: Journal
  /** What the money of this node is to other nodes over one database. */
  readonly money: NodeMoney | undefined
  /** Settles a stored call that no budget counts. */
  readonly settleStored: (entry: ResolveEntry) => Promise<SettledElsewhere>
  readonly log: Logger
}

/**
 * Distributes changes of keys, teams and limits to every node: immediately through the shared state, and through the
 * database if there is one. To be released before the ledger.
 */
export function shareKeys(parts: SharedKeysParts): SharedKeys {
  const { shared, ledger, databaseUrl } = parts
  const apply = (entry: TenantChange) => {
    const isNew = parts.tenants.hear(entry)
    if (isNew) parts.journal.append(entry)
    return isNew
  }
  const feed =
    databaseUrl === undefined || ledger === undefined ? undefined : feedOf(parts, databaseUrl, ledger, apply)
  const messages = openChangeMessages({
    owner: shared.owner,
    buses: [shared.bus, ...(feed === undefined ? [] : [feed.bus])],
    apply,
    catchesUp: feed === undefined && !shared.isAlone,
  })
  const parted = feed === undefined ? () => {} : bridge(shared.bus, feed.bus, shared.owner)
  return {
    telling: (journal) => ({
      written: () => journal.written(),
      durable: () => journal.durable(),
      get takesHolds() {
        return journal.takesHolds
      },
      append(entry) {
        journal.append(entry)
        if (entry.type !== 'admin' && entry.type !== 'override') return
        messages.send(entry)
        if (feed !== undefined) ledger?.shipSoon()
      },
    }),
    async begin() {
      if (feed !== undefined) await beginWith(feed, ledger?.isNew === true && !parts.tenants.asksForKeys())
      return messages.catchUp()
    },
    async settleElsewhere(entry) {
      // Budgets of one node, or over Redis, are settled at any node: what is left is a call that none of them counts.
      if (feed === undefined || parts.money === undefined) return await parts.settleStored(entry)
      return await feed.settle(entry).catch((cause) => {
        throw new Failure('overloaded', 'The database of the other nodes cannot be reached at the moment.', {
          code: 'ledger_unavailable',
          cause,
        })
      })
    },
    async [Symbol.asyncDispose]() {
      parted()
      messages[Symbol.dispose]()
      await feed?.[Symbol.asyncDispose]()
    },
  }
}

export type SharedKeys = AsyncDisposable & {
  /** A journal that also publishes the events that other nodes need. */
  telling(journal: Journal): Journal
  /**
   * Resolves once earlier changes by others have been applied, as far as they can be read. Rejects if they cannot, and
   * this node would let everybody in although there may be keys.
   */
  begin(): Promise<void>
  /** Settles a call that is not uncertain at this node, at the node that has it. */
  settleElsewhere(entry: ResolveEntry): Promise<SettledElsewhere>
}

/** Ends calls of keys on every node. `own` ends those of this node; the returned function ends all. */
export function endingEverywhere(
  { bus, owner }: Pick<Shared, 'bus' | 'owner'>,
  own: (keys: readonly string[]) => void,
): (keys: readonly string[]) => void {
  bus.subscribe(endTopic, (text) => {
    const said: unknown = JSON.parse(text)
    if (isObject(said) && said['from'] !== owner && Array.isArray(said['keys'])) own(said['keys'] as string[])
  })
  return (keys) => {
    own(keys)
    bus.publish(endTopic, JSON.stringify({ from: owner, keys }))
  }
}

/** `isBlind`: nobody may be let in before the keys are known. */
async function beginWith(feed: Pick<ChangeFeed, 'begin'>, isBlind: boolean): Promise<void> {
  const until = performance.now() + (isBlind ? blindMs : knowingMs)
  for (;;) {
    const failed = await inTime(feed.begin(), until - performance.now())
    if (failed === undefined || !isBlind) return
    if (performance.now() >= until) throw unknownKeys(failed.failure)
    await setTimeout(retryMs)
  }
}

async function inTime<Result>(work: Promise<Result>, ms: number): Promise<Result | { failure: unknown }> {
  const timer = new AbortController()
  const late = setTimeout(Math.max(0, ms), { failure: new Error('it does not answer') }, timer)
  const result = await Promise.race([work, late.catch(() => ({ failure: undefined }))])
  timer.abort()
  return result
}

const retryMs = 500
/** How long a start waits for changes by others, if it knows keys, and if it knows none. */
const knowingMs = 2000
const blindMs = 30_000

function unknownKeys(cause: unknown): UnknownKeys {
  const reason = cause instanceof Error ? cause.message : 'unknown'
  return new UnknownKeys(
    `The database at DATABASE_URL cannot be read (${reason}). It may have keys, and this data directory knows none: start again once it is available, or set a key (GATEWAY_KEY).`,
    { cause },
  )
}

const endTopic = 'keys.end'

function feedOf(
  { money, log }: SharedKeysParts,
  databaseUrl: string,
  { node }: Ledger,
  apply: (entry: TenantChange) => void,
): ChangeFeed {
  return openChangeFeed({
    ...{ databaseUrl, node, apply, money },
    report(err) {
      if (err === undefined) log.warn('key changes are received from the database again')
      else log.warn({ err }, 'key changes cannot be received from the database')
    },
  })
}

/** The event and the message both name the calls to end. */
function bridge(own: SharedBus, others: SharedBus, owner: string): () => void {
  const passed = `${owner} from the database`
  const ends = [
    own.subscribe(endTopic, (text) => {
      const said: unknown = JSON.parse(text)
      if (isObject(said) && said['from'] !== passed)
        others.publish(endTopic, JSON.stringify({ ...said, through: owner }))
    }),
    others.subscribe(endTopic, (text) => {
      const said: unknown = JSON.parse(text)
      if (!isObject(said) || said['through'] === owner) return
      own.publish(endTopic, JSON.stringify({ from: passed, keys: said['keys'] }))
    }),
  ]
  return () => {
    for (const end of ends) end()
  }
}
