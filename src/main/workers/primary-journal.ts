import type { Journal } from '../../core/model/journal.ts'
import type { Peer } from '../../state/primary/peer.ts'

/** The journal as a worker has it: the primary appends, in order, and says when what it has is safe. */
export function createPrimaryJournal(primary: Peer): Journal {
  let takesHolds = true
  const durable = async () => {
    const asked = primary.ask('journal.durable')
    // A caller waits for the end of the answer.
    primary.hurry()
    takesHolds = (await asked) === true
  }
  return {
    append: (entry) => primary.tell('journal.append', entry),
    written: durable,
    durable,
    get takesHolds() {
      return takesHolds
    },
  }
}
