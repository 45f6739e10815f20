import type { Context } from 'koa'
import type { Authenticator } from '../core/authenticate.ts'
import { Failure } from '../core/model/failure.ts'
import { apiKeyOf } from '../http/call/api-key.ts'
import type { LedgerReader } from '../ledger/read/reader.ts'

export type LedgerRouteParts = {
  readonly gate: Authenticator
  /** Undefined: there is no ledger. */
  readonly reader: LedgerReader | undefined
  readonly now: () => number
}

/** Lets in who may read, and gives what is read. Throws a Failure. */
export function openReader(ctx: Context, { gate, reader }: LedgerRouteParts): LedgerReader {
  gate.admitManager(apiKeyOf(ctx.req), 'read')
  ctx.respond = false
  if (reader !== undefined) return reader
  throw new Failure('not_found', 'This gateway keeps no ledger: it needs a data directory, set DATA_DIR.', {
    code: 'no_ledger',
  })
}

/** Turns what a database says into a Failure: it is nobody's bug, and may pass. */
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

export function idHeaders(ctx: Context): readonly string[] {
  return ['x-request-id', ctx.state['requestId'] as string]
}
