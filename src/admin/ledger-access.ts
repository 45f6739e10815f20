import { Failure } from '../core/model/failure.ts'
import type { LedgerReader } from '../ledger/read/reader.ts'

export type LedgerParts = {
  /** Undefined: there is no ledger. */
  readonly reader: LedgerReader | undefined
  readonly now: () => number
}

/** Throws a Failure if there is nothing to read. */
export function readerOf({ reader }: LedgerParts): LedgerReader {
  if (reader !== undefined) return reader
  throw new Failure(
    'not_found',
    'This gateway keeps no ledger, because it has no data directory: set DATA_DIR.',
    {
      code: 'no_ledger',
    },
  )
}

/** Turns a database error into a Failure: it is not a bug of ours, and may pass. */
export async function answered<Answer>(answer: Promise<Answer>): Promise<Answer> {
  try {
    return await answer
  } catch (cause) {
    throw new Failure('overloaded', 'The ledger’s database cannot be read at the moment.', {
      code: 'ledger_unavailable',
      cause,
    })
  }
}
