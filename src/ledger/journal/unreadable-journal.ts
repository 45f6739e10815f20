/** The journal of a data directory cannot be read. Without it, keys and what was spent would be forgotten. */
export class UnreadableJournal extends Error {
  readonly code = 'ERR_JOURNAL_UNREADABLE'
}
