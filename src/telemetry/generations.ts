import type { FailureKind } from '../core/failure.ts'
import { copyOf } from '../core/names.ts'
import type { Sink } from '../core/ports.ts'
import type { CallRecord } from '../core/record.ts'

/** The latest calls, in memory: so many and no more. */
export interface Generations extends Sink {
  /** A call of this caller's; undefined for one that is not known, and for another's. */
  find(id: string, principal: string | undefined): Generation | undefined
}

/** What is kept of a call: of how it failed no words, which may repeat a prompt. */
export type Generation = Omit<CallRecord, 'failure'> & { readonly failure: FailureNote | undefined }

type FailureNote = { readonly kind: FailureKind; readonly code: string | null }

/**
 * Rows are kept as they are: that makes the garbage collector move each among what lasts, for less than half of what it
 * takes to write one as text, and hardly any is ever read. All that hangs on a row stays with it, about 2 KB: names,
 * numbers, prices, and the upstream's own usage, no body and no reply.
 */
export function createGenerations(capacity = usualCapacity): Generations {
  /** A ring: `next` is where the next goes, in place of the oldest once it is full. */
  const rows: Generation[] = []
  let next = 0
  return {
    write(record) {
      // Whoever has no key must not be able to push out the calls of those who have one.
      if (record.failure?.kind === 'unauthorized') return
      rows[next] = keptOf(record)
      next = (next + 1) % capacity
    },
    find(id, principal) {
      // Few ask, and mostly for a call just made: an index would be kept for every call.
      for (let back = 1; back <= rows.length; back++) {
        const row = rows[(next - back + capacity) % capacity]
        if (row?.id === id) return row.principal === principal ? row : undefined
      }
      return undefined
    },
  }
}

const usualCapacity = 10_000

/** The row itself, unless it holds words, or an attempt that may outlive its call and be written to. */
function keptOf(record: CallRecord): Generation {
  const { failure, attempts } = record
  if (failure === undefined && attempts.length <= 1) return record
  const note: FailureNote | undefined = failure && { kind: failure.kind, code: failure.code }
  return {
    ...record,
    failure: note,
    attempts: attempts.map((attempt) => ({ ...attempt })),
    dropped: copyOf(record.dropped),
    converted: copyOf(record.converted),
    flags: copyOf(record.flags),
  }
}
