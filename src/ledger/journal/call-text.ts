import type { CallEntry } from '../../core/model/journal.ts'

/** How the line of a finished call begins in the journal, and no other does. */
export const callBeginning = '{"type":"call",'

/** The line of a finished call. */
export function callText({ at, line }: CallEntry): string {
  return `${callBeginning}"at":${at},${line}}`
}
