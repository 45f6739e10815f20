import type { FailureKind } from '../core/failure.ts'
import type { Sink } from '../core/ports.ts'
import { createRecent } from '../core/recent.ts'
import type { CallRecord } from '../core/record.ts'

/** The latest calls, in memory: so many and no more. One that is looked up stays longer. */
export interface Generations extends Sink {
  /** A call of this caller's; undefined for one that is not known, and for another's. */
  find(id: string, principal: string | undefined): Generation | undefined
}

/** What is kept of a call: of how it failed no words, which may repeat a prompt. */
export type Generation = Omit<CallRecord, 'failure'> & { readonly failure: FailureNote | undefined }

type FailureNote = { readonly kind: FailureKind; readonly code: string | null }

export function createGenerations(capacity = usualCapacity): Generations {
  // As text: thousands of records, each of many small objects, would keep the garbage collector busy.
  const recent = createRecent<Kept>(capacity)
  return {
    write(record) {
      const { failure } = record
      // Whoever has no key must not be able to push out the calls of those who have one.
      if (failure?.kind === 'unauthorized') return
      recent.set(record.id, { principal: record.principal, text: textOf(record) })
    },
    find(id, principal) {
      const found = recent.get(id)
      return found !== undefined && found.principal === principal ? generationOf(found) : undefined
    },
  }
}

const usualCapacity = 10_000

type Kept = { readonly principal: string | undefined; readonly text: string }

function textOf(record: CallRecord): string {
  const { failure, dropped, converted, flags } = record
  const lists = { dropped: [...dropped], converted: [...converted], flags: [...flags] }
  const note: FailureNote | undefined = failure && { kind: failure.kind, code: failure.code }
  return JSON.stringify({ ...record, ...lists, failure: note })
}

/** What was undefined is absent now, and reads the same. */
function generationOf({ text }: Kept): Generation {
  const kept = JSON.parse(text) as Generation & Record<'dropped' | 'converted' | 'flags', string[]>
  return {
    ...kept,
    dropped: new Set(kept.dropped),
    converted: new Set(kept.converted),
    flags: new Set(kept.flags),
  }
}
