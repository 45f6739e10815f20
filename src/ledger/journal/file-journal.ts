import { ftruncateSync, openSync, writeSync } from 'node:fs'
import type { Journal, JournalEntry, Projection } from '../../core/model/journal.ts'
import { type Checkpoint, writeCheckpoint } from './checkpoint.ts'
import { type ClosedSegments, createClosedSegments } from './closed-segments.ts'
import { callBeginning, FrameBuffer, type PackedCalls } from './frame-buffer.ts'
import { type Replayed, replay } from './replay.ts'
import { createReserve, type Reserve } from './reserve.ts'
import { type Position, segmentPath } from './segments.ts'
import { createDiskSync } from './sync.ts'

export type JournalSettings = {
  /** The directory of the segments and the checkpoint. This process owns it. */
  readonly directory: string
  /** `disk`: `durable` waits for the disk; `process`: for the kernel. */
  readonly durability: 'process' | 'disk'
  /** The size at which a segment is closed. */
  readonly segmentBytes: number
  /** The total size of segments above which calls are dropped. */
  readonly spoolBytes: number
  /** Space reserved for settling holds when the disk is full. */
  readonly reserveBytes: number
  readonly projections: readonly Projection[]
  /** Called with events for the operator. */
  readonly report: (trouble: Trouble) => void
}

export type Trouble = { readonly what: TroubleKind; readonly error?: unknown }

export type TroubleKind =
  | 'disk_full'
  | 'disk_free_again'
  | 'spool_full'
  | 'spool_free_again'
  | 'checkpoint_failed'
  | 'segment_not_deleted'
  | 'segment_not_opened'

/** A journal in files: lines are appended to a segment, and survive the process once written. */
export interface FileJournal extends Journal, AsyncDisposable {
  readonly replayed: Replayed
  /** Appends calls packed by another process. Like `append`, it never throws and never blocks. */
  appendCalls(calls: PackedCalls): void
  /** The position of the next line. */
  readonly position: Position
  readonly state: JournalState
  /**
   * The store has everything before this position: segments are deleted once the checkpoint does not need them either.
   */
  shipped(position: Position): void
  /** The size of the journal after a position. */
  bytesBehind(position: Position): number
  /** Writes a checkpoint now. Resolves when it is on disk, or could not be written. */
  checkpoint(): Promise<void>
}

export type JournalState = {
  readonly isDiskFull: boolean
  /** The size of all segments. */
  readonly spooledBytes: number
  /** Calls dropped because the spool was full, and because the disk was. */
  readonly droppedCalls: number
  readonly unwrittenCalls: number
  readonly syncFailures: number
}

/** Replays the existing journal, and continues in a new segment. */
export async function openJournal(settings: JournalSettings): Promise<FileJournal> {
  const replayed = await replay(settings.directory, settings.projections)
  const reserve = createReserve(settings.directory, settings.reserveBytes)
  const journal = new SegmentedJournal(settings, replayed, reserve)
  await journal.begin()
  return journal
}

class SegmentedJournal implements FileJournal {
  readonly replayed: Replayed
  readonly #settings: JournalSettings
  readonly #reserve: Reserve
  readonly #sync = createDiskSync()
  readonly #closed: ClosedSegments
  readonly #timer: NodeJS.Timeout
  #descriptor = -1
  #segment: number
  #offset = 0
  readonly #pending = new FrameBuffer()
  #waiting: PromiseWithResolvers<void> | undefined
  #isFlushDue = false
  #isFlushSoon = false
  #isDiskFull = false
  #ticksFull = 0
  #isSpoolFull = false
  #isClosed = false
  #droppedCalls = 0
  #unwrittenCalls = 0
  #checkpointing: Promise<void> = Promise.resolve()

  constructor(settings: JournalSettings, replayed: Replayed, reserve: Reserve) {
    this.#settings = settings
    this.#reserve = reserve
    this.replayed = replayed
    const { directory, report } = settings
    const last = replayed.segments.at(-1)
    this.#segment = last === undefined ? 1 : last.bytes === 0 ? last.segment : last.segment + 1
    const before = replayed.segments.filter(({ segment }) => segment < this.#segment)
    this.#closed = createClosedSegments(directory, before, (error) =>
      report({ what: 'segment_not_deleted', error }),
    )
    this.#timer = setInterval(() => this.#tick(), tickMs)
    this.#timer.unref()
  }

  async begin(): Promise<void> {
    this.#open(this.#segment)
    await this.checkpoint()
    await this.#reserve.take().catch((error: unknown) => this.#enterFull(error))
  }

  get takesHolds(): boolean {
    return !this.#isDiskFull
  }

  get position(): Position {
    return { segment: this.#segment, offset: this.#offset }
  }

  get state(): JournalState {
    return {
      isDiskFull: this.#isDiskFull,
      spooledBytes: this.#spooledBytes,
      droppedCalls: this.#droppedCalls,
      unwrittenCalls: this.#unwrittenCalls,
      syncFailures: this.#sync.failures,
    }
  }

  append(entry: JournalEntry): void {
    if (entry.type === 'call' && this.#areLeftOut(1)) return
    switch (entry.type) {
      case 'call':
        this.#pending.addCall(entry)
        break
      case 'hold':
      case 'grow':
      case 'settle':
        this.#pending.addMoney(entry)
        break
      default:
        this.#pending.add(JSON.stringify(entry))
    }
    this.#flushSoon()
  }

  appendCalls({ frames, count }: PackedCalls): void {
    if (this.#areLeftOut(count)) return
    this.#pending.addFrames(frames)
    this.#flushSoon()
  }

  written(): Promise<void> {
    if (!this.#isFlushDue) return Promise.resolve()
    this.#waiting ??= Promise.withResolvers()
    if (!this.#isFlushSoon) {
      this.#isFlushSoon = true
      queueMicrotask(() => this.#flush())
    }
    return this.#waiting.promise
  }

  durable(): Promise<void> {
    if (this.#settings.durability === 'process') return this.written()
    return this.written().then(() => this.#sync.whenSynced())
  }

  bytesBehind({ segment, offset }: Position): number {
    const open = this.#segment >= segment ? this.#offset : 0
    return Math.max(0, this.#closed.bytesFrom(segment) + open - offset)
  }

  shipped(position: Position): void {
    this.#closed.shipped(position)
  }

  checkpoint(): Promise<void> {
    this.#flush()
    // The state includes lines that are not written yet: they would count again after the checkpoint.
    if (this.#pending.length > 0) return this.#checkpointing
    const { directory, projections } = this.#settings
    const state = Object.fromEntries(projections.map((one) => [one.name, one.snapshot()]))
    const checkpoint: Checkpoint = { position: this.position, state }
    // Only after the lines that it covers are on disk.
    this.#checkpointing = this.#checkpointing
      .then(() => this.#sync.whenSynced())
      .then(() => writeCheckpoint(directory, checkpoint))
      .then(() => this.#closed.checkpointed(checkpoint.position))
      .catch((error: unknown) => this.#settings.report({ what: 'checkpoint_failed', error }))
    return this.#checkpointing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return
    await this.checkpoint()
    this.#isClosed = true
    clearInterval(this.#timer)
    this.#flush()
    await this.#sync.close()
  }

  get #spooledBytes(): number {
    return this.#closed.bytes + this.#offset
  }

  #flushSoon(): void {
    if (this.#isFlushDue) return
    this.#isFlushDue = true
    setImmediate(() => this.#flush())
  }

  #areLeftOut(calls: number): boolean {
    if (this.#isDiskFull) this.#unwrittenCalls += calls
    if (this.#isDiskFull) return true
    const isFull = this.#spooledBytes + this.#pending.length > this.#settings.spoolBytes
    if (isFull !== this.#isSpoolFull) {
      this.#isSpoolFull = isFull
      this.#settings.report({ what: isFull ? 'spool_full' : 'spool_free_again' })
    }
    if (isFull) this.#droppedCalls += calls
    return isFull
  }

  #flush(): void {
    this.#isFlushDue = false
    this.#isFlushSoon = false
    const waiting = this.#waiting
    this.#waiting = undefined
    if (this.#pending.length > 0 && !this.#isClosed) this.#writePending()
    waiting?.resolve()
  }

  #writePending(): void {
    try {
      this.#write()
    } catch (error) {
      this.#enterFull(error)
      this.#unwrittenCalls += this.#pending.keep((text) => !text.startsWith(callBeginning))
      // Holds are settled in the reserved space; lines that do not fit are tried again.
      if (this.#pending.length > 0) this.#tryWrite()
    }
    if (this.#offset >= this.#settings.segmentBytes) this.#roll()
  }

  #tryWrite(): boolean {
    try {
      this.#write()
      return true
    } catch {
      return false
    }
  }

  /** All or nothing: a partial line would count as a torn tail. */
  #write(): void {
    try {
      const { bytes, length } = this.#pending
      for (let at = 0; at < length; ) at += writeSync(this.#descriptor, bytes, at, length - at)
    } catch (thrown) {
      ftruncateSync(this.#descriptor, this.#offset)
      throw thrown
    }
    this.#offset += this.#pending.length
    this.#pending.clear()
    this.#sync.note()
  }

  #enterFull(error: unknown): void {
    if (this.#isDiskFull) return
    this.#isDiskFull = true
    this.#reserve.release()
    this.#settings.report({ what: 'disk_full', error })
  }

  #tick(): void {
    void this.#sync.whenSynced()
    if (!this.#isDiskFull) return
    this.#ticksFull = (this.#ticksFull + 1) % lookEveryTicks
    if (this.#ticksFull === 0) void this.#leaveFull()
  }

  async #leaveFull(): Promise<void> {
    if (this.#pending.length > 0 && !this.#tryWrite()) return
    await this.#reserve.take().then(
      () => {
        this.#isDiskFull = false
        this.#settings.report({ what: 'disk_free_again' })
      },
      () => undefined,
    )
  }

  #open(segment: number): void {
    this.#descriptor = openSync(segmentPath(this.#settings.directory, segment), 'a', 0o600)
    this.#segment = segment
    this.#offset = 0
    this.#sync.follow(this.#descriptor)
  }

  #roll(): void {
    const [segment, bytes] = [this.#segment, this.#offset]
    try {
      this.#open(segment + 1)
    } catch (error) {
      // The old segment keeps growing, and the next turn tries again.
      this.#settings.report({ what: 'segment_not_opened', error })
      return
    }
    this.#closed.add({ segment, bytes })
    void this.checkpoint()
  }
}

/** The most that a power failure loses. */
const tickMs = 100

/** How often a full disk is checked for space. */
const lookEveryTicks = 10
