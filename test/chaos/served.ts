import dns from 'node:dns'
import { readdirSync } from 'node:fs'
import { readConfig } from '../../src/cli/read-config.ts'
import type { CallRecord } from '../../src/core/model/record/record.ts'
import { startGateway } from '../../src/main.ts'
import { createLog } from '../../src/telemetry/log.ts'

/**
 * A gateway in a process of its own, as `serve` runs it, which tells its parent of every record and of its own
 * state. Nothing here listens for unhandled errors: one of them ends the process, and the suite with it.
 */

/** What the parent may ask. */
export type Order =
  | { readonly order: 'tell' }
  | { readonly order: 'measure' }
  | { readonly order: 'block'; readonly ms: number }
  | { readonly order: 'shift-clock'; readonly ms: number }
  /** To have so many numbers in memory, and no more. */
  | { readonly order: 'hold'; readonly numbers: number }
  | { readonly order: 'reload' }
  | { readonly order: 'stop'; readonly delayMs: number; readonly graceMs: number }
  | { readonly order: 'hurry' }

/** What it is told. */
export type Word =
  | { readonly word: 'serving'; readonly url: string }
  | { readonly word: 'record'; readonly row: Row }
  /** The order was carried out; all that was to be told before it has been. */
  | { readonly word: 'done'; readonly state: ProcessState }

/** A record as it can be sent: its sets as lists, of its failure what the log would say. */
export type Row = Omit<CallRecord, 'failure' | 'dropped' | 'converted' | 'flags'> & {
  readonly failure:
    | {
        readonly kind: string
        readonly code: string | null
        readonly upstreamStatus?: number | undefined
        readonly operatorNote?: string | undefined
        readonly causeCode?: string | undefined
      }
    | undefined
  readonly flags: readonly string[]
}

export type ProcessState = {
  /** What is left of it after a garbage collection, where it was to be measured. */
  readonly heapBytes: number
  readonly residentBytes: number
  readonly descriptors: number
  readonly held: number
}

const realLookup = dns.lookup
const stalledHost = 'stalled.invalid'
const againHost = 'again.invalid'

/** Names that no resolver can be made to fail on as these do. */
function lookup(...given: unknown[]): void {
  const [host] = given
  const callback = given.at(-1)
  if (host === stalledHost) return
  if (host === againHost && typeof callback === 'function') {
    callback(Object.assign(new Error('getaddrinfo EAI_AGAIN'), { code: 'EAI_AGAIN' }))
    return
  }
  Reflect.apply(realLookup, dns, given)
}

function rowOf(record: CallRecord): Row {
  const { failure, dropped: _dropped, converted: _converted, flags, ...rest } = record
  return { ...rest, flags: [...flags], failure: failure && failureOf(failure) }
}

function failureOf(failure: NonNullable<CallRecord['failure']>): NonNullable<Row['failure']> {
  const { kind, code, upstreamStatus, operatorNote, cause } = failure
  const causeCode = cause instanceof Error && 'code' in cause ? String(cause.code) : undefined
  return { kind, code, upstreamStatus, operatorNote, causeCode }
}

function stateOfProcess(): Omit<ProcessState, 'held'> {
  const { heapUsed, rss } = process.memoryUsage()
  return { heapBytes: heapUsed, residentBytes: rss, descriptors: readdirSync('/proc/self/fd').length }
}

function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

function shiftClock(ms: number): void {
  const now = Date.now
  Date.now = () => now() + ms
}

async function stop(times: { readonly delayMs: number; readonly graceMs: number }): Promise<void> {
  isStopping = true
  await gateway.stop(times)
  process.disconnect()
}

function tell(word: Word): void {
  process.send?.(word)
}

let held: readonly number[] = []
Object.assign(dns, { lookup })
const gateway = await startGateway(readConfig(), {
  log: createLog('trace', process.stdout),
  version: '0.0.0-chaos',
  sinks: [{ write: (record) => tell({ word: 'record', row: rowOf(record) }) }],
})
let isStopping = false
// Its parent has died: it must stop itself.
process.once('disconnect', () => {
  if (!isStopping) process.exit(1)
})
process.on('message', (order: Order) => {
  if (order.order === 'measure') globalThis.gc?.()
  if (order.order === 'block') block(order.ms)
  if (order.order === 'hold') held = Array<number>(order.numbers).fill(1.5)
  if (order.order === 'shift-clock') shiftClock(order.ms)
  if (order.order === 'reload') gateway.reload(readConfig)
  if (order.order === 'stop') void stop(order)
  if (order.order === 'hurry') gateway.hurry()
  tell({ word: 'done', state: { ...stateOfProcess(), held: held.length } })
})
tell({ word: 'serving', url: gateway.url })
