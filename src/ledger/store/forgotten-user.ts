import type { AdminEntry } from '../../core/model/journal.ts'
import type { EventRow } from './batch.ts'
import { storedJson } from './stored-text.ts'

/** The end user whose name an event removes from the calls that are stored. Undefined: it removes none. */
export function forgottenUserIn({ type, body }: EventRow): ForgottenUser | undefined {
  if (type !== 'admin' || !body.includes(action)) return undefined
  const entry = JSON.parse(body) as AdminEntry
  if (entry.action !== action) return undefined
  return storedAs(entry.subject.id)
}

/** As calls have it: its name, and the member of the JSON text, by which other calls are passed over without parsing. */
export type ForgottenUser = { readonly user: string; readonly member: string }

const action = 'user.delete'

function storedAs(user: string): ForgottenUser {
  const json = storedJson(JSON.stringify(user))
  return { user: JSON.parse(json) as string, member: `"user":${json}` }
}
