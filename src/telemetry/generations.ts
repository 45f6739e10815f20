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
  const recent = createRecent<Generation>(capacity)
  return {
    write(record) {
      const { failure } = record
      // Whoever has no key must not be able to push out the calls of those who have one.
      if (failure?.kind === 'unauthorized') return
      recent.set(record.id, failure === undefined ? record : { ...record, failure: noteOf(failure) })
    },
    find(id, principal) {
      const found = recent.get(id)
      return found?.principal === principal ? found : undefined
    },
  }
}

const usualCapacity = 10_000

function noteOf({ kind, code }: FailureNote): FailureNote {
  return { kind, code }
}
