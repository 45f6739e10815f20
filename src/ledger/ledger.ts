import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Journal, Projection } from '../core/model/journal.ts'
import { type FileJournal, openJournal, type Trouble, type TroubleKind } from './journal/file-journal.ts'
import { readJournal } from './journal/replay.ts'
import { DirectoryInUse, lockDirectory } from './lock.ts'
import { nodeIdOf } from './node-id.ts'
import { createReader, type LedgerReader } from './read/reader.ts'
import { type LedgerReport, reportOf } from './report.ts'
import type { ShipperData } from './ship/messages.ts'
import { type Shipper, type ShipperReport, startShipper } from './ship/shipper.ts'
import type { StoreAddress } from './store/all.ts'

/**
 * The journal of this process, and the store that a thread ships it to. Disposing writes a last checkpoint, and waits
 * briefly for the store.
 */
export interface Ledger extends AsyncDisposable {
  readonly journal: Journal & Pick<FileJournal, 'appendCalls'>
  readonly reader: LedgerReader
  /** There was no journal before: what it would know may be in the store. */
  readonly isNew: boolean
  /** There was an SQLite store before. */
  readonly hadStore: boolean
  /** The store's name for this data directory. */
  readonly node: string
  readonly store: StoreAddress
  report(): LedgerReport
  /** Ships everything written so far, without waiting for the next round. */
  shipSoon(): void
}

export type LedgerSettings = {
  /** The data directory. It is created if it is missing. */
  readonly directory: string
  readonly durability: 'process' | 'disk'
  readonly spoolBytes: number
  /** How long to wait for another process to release the directory. */
  readonly waitMs: number
  /** Whether it is an error if another process has the directory; if not, there is no ledger then. */
  readonly isNeeded: boolean
  /** Asked in that case, once the projections have what is in the directory: whether it is an error after all. */
  readonly isNeededWithState: () => boolean
  /** The Postgres database to ship to; undefined: an SQLite file in the data directory. */
  readonly databaseUrl?: string | undefined
  readonly keepCallsDays: number
  readonly keepRollupsDays: number
  readonly projections: readonly Projection[]
  readonly log: LedgerLog
}

/** The logger, as far as the ledger uses it. */
export type LedgerLog = {
  debug(members: object, message: string): void
  warn(members: object, message: string): void
  error(members: object, message: string): void
}

/**
 * Opens the ledger in its data directory, with its previous state. Undefined if the directory is not writable, or
 * another process has it and it is not needed; if it is needed, that rejects with DirectoryInUse. The projections have
 * the previous state in any case. Rejects if the contents are unreadable.
 */
export async function openLedger(settings: LedgerSettings): Promise<Ledger | undefined> {
  const owned = await own(resolve(settings.directory), settings)
  if (owned === undefined) return undefined
  const { directory, lock } = owned
  try {
    const journal = await openJournalIn(directory, settings)
    return new OpenLedger(settings, owned, journal)
  } catch (thrown) {
    lock[Symbol.dispose]()
    throw thrown
  }
}

/** Gives the projections the previous state of a data directory, without using it. */
export function readState(directory: string, projections: readonly Projection[]): Promise<void> {
  return readJournal(join(resolve(directory), 'journal'), projections)
}

class OpenLedger implements Ledger {
  readonly isNew: boolean
  readonly hadStore: boolean
  readonly node: string
  readonly journal: FileJournal
  readonly reader: LedgerReader
  readonly store: StoreAddress
  readonly #settings: LedgerSettings
  readonly #owned: Owned
  readonly #data: ShipperData
  readonly #openedEpochMs = Date.now()
  readonly #starting: NodeJS.Timeout
  #shipper: Shipper | undefined

  constructor(settings: LedgerSettings, owned: Owned, journal: FileJournal) {
    const { keepCallsDays, keepRollupsDays } = settings
    const { databaseUrl } = settings
    const { directory } = owned
    const store = databaseUrl === undefined ? { path: join(directory, 'ledger.db') } : { databaseUrl }
    this.store = store
    this.#settings = settings
    this.#owned = owned
    this.node = owned.node
    this.journal = journal
    this.isNew = journal.replayed.isNew
    this.hadStore = 'path' in store && existsSync(store.path)
    this.reader = createReader(store, () => this.#catchUp())
    this.#data = {
      store,
      journalDirectory: join(directory, 'journal'),
      node: owned.node,
      keepCallsDays,
      keepRollupsDays,
    }
    // The thread starts when there is something to ship.
    this.#starting = setInterval(() => this.#startShipper(), lookEveryMs)
    this.#starting.unref()
  }

  report(): LedgerReport {
    const { journal } = this
    return reportOf({
      ...{
        store: 'path' in this.#data.store ? 'sqlite' : 'postgres',
        journal,
        shipper: this.#shipper?.state,
      },
      ...{ nowEpochMs: Date.now(), openedEpochMs: this.#openedEpochMs },
    })
  }

  shipSoon(): void {
    void this.#catchUp()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.journal[Symbol.asyncDispose]()
    this.#startShipper()
    clearInterval(this.#starting)
    await this.#shipper?.[Symbol.asyncDispose]()
    await this.reader[Symbol.asyncDispose]()
    const { lock, directory, isTemporary } = this.#owned
    lock[Symbol.dispose]()
    if (isTemporary && this.#isShipped()) await rm(directory, { recursive: true, force: true })
  }

  #isShipped(): boolean {
    const position = this.#shipper === undefined ? this.journal.position : this.#shipper.state.position
    return position !== undefined && this.journal.bytesBehind(position) === 0
  }

  /** Calls answered before a query are visible to it, unless the store is unavailable. */
  async #catchUp(): Promise<void> {
    await this.journal.written()
    this.#startShipper()
    await this.#shipper?.catchUp(this.journal.position)
  }

  #startShipper(): void {
    if (this.#shipper !== undefined || this.journal.state.spooledBytes === 0) return
    clearInterval(this.#starting)
    this.#shipper = startShipper({
      data: this.#data,
      shipped: (position) => this.journal.shipped(position),
      report: (news) => reportShipping(this.#settings.log, news),
    })
  }
}

/** A temporary directory is removed at the end, once the database has everything. */
type Owned = {
  readonly directory: string
  readonly lock: Disposable
  /** Its name in the store. */
  readonly node: string
  readonly isTemporary: boolean
}

/** Locks a directory for this process; undefined if that is impossible and not needed. */
async function own(directory: string, settings: LedgerSettings): Promise<Owned | undefined> {
  const { waitMs, isNeeded, databaseUrl, log } = settings
  try {
    return { ...(await lockedIn(directory, waitMs)), isTemporary: false }
  } catch (thrown) {
    const isInUse = thrown instanceof DirectoryInUse
    if (isInUse ? isNeeded : !isUnwritable(thrown)) throw thrown
    const reason = thrown instanceof Error ? thrown.message : ''
    if (databaseUrl === undefined) {
      await readState(directory, settings.projections)
      if (isInUse && settings.isNeededWithState()) throw thrown
      log.warn({ directory, reason }, noPlace)
      return undefined
    }
    // Lines that were shipped to the database are safe there; a lost machine loses the others.
    const temporary = await mkdtemp(join(tmpdir(), 'pandotate-gateway-')).catch(() => undefined)
    if (temporary === undefined) throw thrown
    log.warn({ directory, temporary, reason }, 'the journal is in a temporary directory: set DATA_DIR')
    return { ...(await lockedIn(temporary, waitMs)), isTemporary: true }
  }
}

async function lockedIn(directory: string, waitMs: number): Promise<Omit<Owned, 'isTemporary'>> {
  await mkdir(join(directory, 'journal'), { recursive: true, mode: 0o700 })
  const lock = await lockDirectory(directory, { waitMs, what: 'gateway' })
  try {
    return { directory, lock, node: await nodeIdOf(directory) }
  } catch (thrown) {
    lock[Symbol.dispose]()
    throw thrown
  }
}

async function openJournalIn(directory: string, settings: LedgerSettings): Promise<FileJournal> {
  const { durability, spoolBytes, projections, log } = settings
  const journal = await openJournal({
    ...{ directory: join(directory, 'journal'), durability, spoolBytes, projections },
    ...{ segmentBytes, reserveBytes, report: (trouble) => report(log, trouble) },
  })
  const { tornBytes, damagedBytes } = journal.replayed
  if (tornBytes + damagedBytes > 0) {
    log.warn(
      { tornBytes, damagedBytes },
      'the journal had bytes that are not complete lines: the process or the machine had failed',
    )
  }
  return journal
}

const lookEveryMs = 250

const noPlace = 'calls are recorded in the log only: set DATA_DIR to a writable directory'

const mebibyte = 1024 * 1024
const segmentBytes = 16 * mebibyte
const reserveBytes = 4 * mebibyte

/** Codes of the file system for a directory that is not writable. */
const unwritable = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT', 'ENOTDIR'])

/** SQLite's codes for a file that cannot be written or opened. */
const unwritableCodes = new Set([8, 14])

function isUnwritable(thrown: unknown): boolean {
  if (!(thrown instanceof Error)) return false
  const { code, errcode } = thrown as { code?: unknown; errcode?: unknown }
  return unwritable.has(String(code)) || (typeof errcode === 'number' && unwritableCodes.has(errcode & 0xff))
}

function report(log: LedgerLog, { what, error: err }: Trouble): void {
  if (what === 'disk_free_again' || what === 'spool_free_again') log.warn({}, messages[what])
  else log.error({ err }, messages[what])
}

function reportShipping(log: LedgerLog, news: ShipperReport): void {
  const { what, ...members } = news
  if (what === 'store_failed')
    log.error(members, 'the ledger’s store fails: the journal keeps the records meanwhile')
  else if (what === 'shipper_failed')
    log.error(members, 'the thread that ships the journal failed, and is restarted')
  else if (what === 'damaged')
    log.error(members, 'parts of the journal cannot be read, and are not in the store')
  else if (what === 'store_back') log.warn(members, 'the ledger’s store works again')
  else log.debug(members, 'the ledger’s schema was brought up to date')
}

const messages: Readonly<Record<TroubleKind, string>> = {
  disk_full: 'the journal cannot be written: calls under a budget are refused, others are not recorded',
  disk_free_again: 'the journal can be written again',
  spool_full: 'too much waits for the store: calls are not recorded until it catches up',
  spool_free_again: 'calls are recorded again',
  checkpoint_failed: 'a checkpoint could not be written: segments of the journal are kept',
  segment_not_deleted: 'a segment of the journal could not be deleted',
  segment_not_opened: 'a segment of the journal could not be started: the one before keeps growing',
}
