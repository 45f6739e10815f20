import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Journal, Projection } from '../core/model/journal.ts'
import { type FileJournal, openJournal, type Trouble, type TroubleKind } from './journal/file-journal.ts'
import { DirectoryInUse, lockDirectory } from './lock.ts'

/** The journal of this process. Disposing it writes a last checkpoint. */
export interface Ledger extends AsyncDisposable {
  readonly journal: Journal
}

export type LedgerSettings = {
  /** The data directory. It is made where it is not there. */
  readonly directory: string
  readonly durability: 'process' | 'disk'
  readonly spoolBytes: number
  /** How long to wait for another process to let go of the directory. */
  readonly waitMs: number
  /** Whether it is an error that another process has the directory; else there is no ledger then. */
  readonly isNeeded: boolean
  readonly projections: readonly Projection[]
  readonly log: LedgerLog
}

/** As far as the ledger logs. */
export type LedgerLog = {
  warn(members: object, message: string): void
  error(members: object, message: string): void
}

/**
 * Opens the ledger in its data directory, with the state that it had. Undefined where nothing can be written there, and
 * where another process has it though it is not needed; else that rejects with DirectoryInUse. Rejects where what is
 * there cannot be read.
 */
export async function openLedger(settings: LedgerSettings): Promise<Ledger | undefined> {
  const directory = resolve(settings.directory)
  const { durability, spoolBytes, projections, log } = settings
  await using opening = new AsyncDisposableStack()
  try {
    await mkdir(join(directory, 'journal'), { recursive: true, mode: 0o700 })
    opening.use(await lockDirectory(directory, { waitMs: settings.waitMs, what: 'gateway' }))
  } catch (thrown) {
    const isInUse = thrown instanceof DirectoryInUse
    if (isInUse ? settings.isNeeded : !isUnwritable(thrown)) throw thrown
    log.warn({ directory, reason: thrown instanceof Error ? thrown.message : '' }, noPlace)
    return undefined
  }
  const journal: FileJournal = opening.use(
    await openJournal({
      ...{ directory: join(directory, 'journal'), durability, spoolBytes, projections },
      ...{ segmentBytes, reserveBytes, report: (trouble) => report(log, trouble) },
    }),
  )
  const { tornBytes, damagedBytes } = journal.replayed
  if (tornBytes + damagedBytes > 0) {
    log.warn(
      { tornBytes, damagedBytes },
      'the journal had bytes that are no lines: the process or the machine had failed',
    )
  }
  const opened = opening.move()
  return { journal, [Symbol.asyncDispose]: () => opened.disposeAsync() }
}

const noPlace = 'calls are recorded in the log alone: set DATA_DIR to a directory that can be written to'

const mebibyte = 1024 * 1024
const segmentBytes = 16 * mebibyte
const reserveBytes = 4 * mebibyte

/** What the file system says where there is no place to write. */
const unwritable = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT', 'ENOTDIR'])

/** SQLite's words for the same: that a file cannot be written to, or opened. */
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

const messages: Readonly<Record<TroubleKind, string>> = {
  disk_full:
    'the journal cannot be written: calls under a budget are refused, records of others are left out',
  disk_free_again: 'the journal can be written again',
  spool_full: 'too much waits for the store: the records of calls are left out, until it takes them',
  spool_free_again: 'the records of calls are written again',
  checkpoint_failed: 'a checkpoint could not be written: segments of the journal are kept',
  segment_not_deleted: 'a segment of the journal could not be deleted',
  segment_not_opened: 'a segment of the journal could not be begun: the one before grows on',
}
