import type { AdminEntry, OverrideEntry } from '../../core/model/journal.ts'
import { isObject } from '../../core/model/json/json.ts'
import type { SharedBus } from '../../core/model/shared/bus.ts'

/** A change of a key, a team or a limit. */
export type TenantChange = AdminEntry | OverrideEntry

/** Messages between nodes about such changes. */
export interface ChangeMessages extends Disposable {
  send(change: TenantChange): void
  /** Asks the other nodes for what was missed, and sends them what they may have missed. */
  catchUp(): void
}

export type ChangeMessagesParts = {
  /** This node. */
  readonly owner: string
  readonly buses: readonly SharedBus[]
  /** Applies a change of another node. False if it is known, or a later one. */
  readonly apply: (change: TenantChange) => boolean
  /** False: every node reads what it missed elsewhere. */
  readonly catchesUp: boolean
}

export function openChangeMessages({ owner, buses, apply, catchesUp }: ChangeMessagesParts): ChangeMessages {
  const recent = createRecentChanges()
  const publish = (message: object) => {
    const text = JSON.stringify({ from: owner, ...message })
    for (const bus of buses) bus.publish(topic, text)
  }
  const sendAll = () => {
    const entries = recent.all()
    for (let at = 0; at < entries.length; at += mostSent)
      publish({ entries: entries.slice(at, at + mostSent) })
  }
  const catchUp = () => {
    if (!catchesUp) return
    publish({ asks: true })
    sendAll()
  }
  const hear = (text: string) => {
    const message: unknown = JSON.parse(text)
    if (!isObject(message) || message['from'] === owner) return
    const { entry, entries = entry === undefined ? [] : [entry], asks } = message
    for (const change of entries as readonly TenantChange[]) if (apply(change)) recent.note(change)
    if (asks === true && catchesUp) sendAll()
  }
  const ends = buses.map((bus) => bus.subscribe(topic, hear, catchUp))
  return {
    send(entry) {
      recent.note(entry)
      publish({ entry })
    },
    catchUp,
    [Symbol.dispose]() {
      for (const end of ends) end()
    },
  }
}

const topic = 'keys'
/** How many changes one message has. */
const mostSent = 100

/** Since the start, of each object the latest. */
function createRecentChanges() {
  const latest = new Map<string, TenantChange>()
  return {
    note(change: TenantChange) {
      const subject =
        change.type === 'admin' ? `${change.subject.kind} ${change.subject.id}` : `override ${change.id}`
      latest.delete(subject)
      latest.set(subject, change)
      const [oldest] = latest.keys()
      if (latest.size > mostKept && oldest !== undefined) latest.delete(oldest)
    },
    all: () => [...latest.values()],
  }
}

const mostKept = 10_000
