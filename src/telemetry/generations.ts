import type { FailureKind } from '../core/failure.ts'
import type { Sink } from '../core/ports.ts'
import { createRecent } from '../core/recent.ts'
import { type CallRecord, startRecord } from '../core/record.ts'

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

/** As lists: with the names of all members, a text takes twice the time to write. */
function textOf(record: CallRecord): string {
  const { failure, dropped, converted, flags } = record
  const note: FailureNote | undefined = failure && { kind: failure.kind, code: failure.code }
  const values = plainNames.map((name) => record[name])
  return JSON.stringify([note, [...dropped], [...converted], [...flags], values])
}

/** What was undefined was written as null: a record holds none of its own. */
function generationOf({ text }: Kept): Generation {
  const [note, dropped, converted, flags, values] = JSON.parse(text) as Written
  return {
    ...(Object.fromEntries(plainNames.map((name, at) => [name, values[at] ?? undefined])) as PlainMembers),
    failure: note ?? undefined,
    dropped: new Set(dropped),
    converted: new Set(converted),
    flags: new Set(flags),
  }
}

type Written = readonly [FailureNote | null, string[], string[], string[], unknown[]]

type SpecialName = 'failure' | 'dropped' | 'converted' | 'flags'
type PlainMembers = Omit<CallRecord, SpecialName>

/** The members that are written as they are, in the order of their places in the text. */
const plainNames = Object.keys(startRecord('', '')).filter(isPlain)

function isPlain(name: string): name is keyof PlainMembers {
  return !['failure', 'dropped', 'converted', 'flags'].includes(name)
}
