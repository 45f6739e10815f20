import type { Clock, Sink } from '../core/model/ports.ts'
import type { CallLine } from '../core/model/record/call-line.ts'
import type { CallRecord } from '../core/model/record/record.ts'
import type { SharedBus } from '../core/model/shared/bus.ts'
import { lineOf } from './line.ts'

/** Finished calls of all processes of the gateway, for live views. */
export interface LiveCalls {
  readonly sink: Sink
  /** Watches until the signal aborts. Calls above a readable rate are only counted. */
  watch(filters: LiveFilters, listener: (news: LiveNews) => void, signal: AbortSignal): void
}

export type LiveNews = {
  readonly calls: readonly LiveCall[]
  /** Further matching calls that are not listed. */
  readonly more: number
}

export type LiveCall = { readonly call: CallLine; readonly startedEpochMs: number }

/** Undefined: any. */
export type LiveFilters = {
  readonly key?: string | undefined
  readonly team?: string | undefined
  readonly model?: string | undefined
  readonly provider?: string | undefined
  readonly deployment?: string | undefined
  readonly failure?: string | undefined
  /** Only calls with all of these tags. */
  readonly tags?: readonly string[] | undefined
  readonly failed?: boolean | undefined
  readonly status?: number | undefined
  readonly id?: string | undefined
  readonly leastNanoUsd?: number | undefined
  readonly mostNanoUsd?: number | undefined
  readonly leastMs?: number | undefined
  readonly mostMs?: number | undefined
}

export type LiveCallsParts = {
  readonly bus: SharedBus
  readonly clock: Pick<Clock, 'now'>
  readonly newId: () => string
}

/** Nothing is built or sent while there are no watchers. */
export function createLiveCalls(parts: LiveCallsParts): LiveCalls {
  const { bus } = parts
  const watchers = new Map<string, Watcher>()
  let timer: NodeJS.Timeout | undefined
  bus.subscribe(wanted, (text) => {
    const { id, filters } = JSON.parse(text) as Wanted
    const known = watchers.get(id) ?? { filters, lines: [], more: 0, until: 0 }
    known.until = parts.clock.now() + patienceMs
    watchers.set(id, known)
  })
  const tell = () => {
    timer = undefined
    for (const [id, watcher] of watchers) {
      if (watcher.until < parts.clock.now()) watchers.delete(id)
      else if (watcher.lines.length > 0) {
        bus.publish(newsTopic + id, `{"calls":[${watcher.lines.join(',')}],"more":${watcher.more}}`)
        watcher.lines = []
        watcher.more = 0
      }
    }
  }
  return {
    sink: {
      write(record) {
        if (watchers.size === 0) return
        note(record, watchers.values())
        if (timer === undefined) timer = setTimeout(tell, everyMs).unref()
      },
    },
    watch(filters, listener, signal) {
      const want: Wanted = { id: parts.newId(), filters }
      const text = JSON.stringify(want)
      const leave = bus.subscribe(newsTopic + want.id, (news) => listener(JSON.parse(news) as LiveNews))
      bus.publish(wanted, text)
      const asking = setInterval(() => bus.publish(wanted, text), patienceMs / 3).unref()
      const end = () => {
        clearInterval(asking)
        leave()
      }
      if (signal.aborted) end()
      else signal.addEventListener('abort', end, { once: true })
    },
  }
}

type Wanted = { readonly id: string; readonly filters: LiveFilters }

type Watcher = { readonly filters: LiveFilters; lines: string[]; more: number; until: number }

const wanted = 'live-calls-wanted'
const newsTopic = 'live-calls:'

/** The rate per process and watcher: twenty calls a second. */
const mostAtOnce = 5
const everyMs = 250

/** A watcher that has not renewed its subscription for this long is dropped. */
const patienceMs = 15_000

function note(record: CallRecord, watchers: Iterable<Watcher>): void {
  let line: string | undefined
  for (const watcher of watchers) {
    if (!matches(record, watcher.filters)) continue
    if (watcher.lines.length >= mostAtOnce) {
      watcher.more++
      continue
    }
    line ??= `{"call":{${lineOf(record)}},"startedEpochMs":${record.startedEpochMs}}`
    watcher.lines.push(line)
  }
}

function matches(record: CallRecord, filters: LiveFilters): boolean {
  const { tenant, status, outcome, costNanoUsd, totalMs } = record
  const kind = outcome === 'left' ? 'left' : record.failure?.kind
  const { leastNanoUsd, mostNanoUsd, leastMs = 0, mostMs = Number.POSITIVE_INFINITY } = filters
  return (
    isSame(filters.key, tenant?.key ?? record.principal) &&
    isSame(filters.team, tenant?.team) &&
    isSame(filters.model, record.model) &&
    isSame(filters.provider, record.provider) &&
    isSame(filters.deployment, record.deployment) &&
    isSame(filters.failure, kind) &&
    (filters.tags ?? []).every((tag) => tenant?.tags.includes(tag)) &&
    isSame(filters.status, status) &&
    isSame(filters.id, record.id) &&
    (filters.failed !== true || status >= 400) &&
    (leastNanoUsd === undefined || (costNanoUsd ?? -1) >= leastNanoUsd) &&
    (mostNanoUsd === undefined || (costNanoUsd ?? Number.POSITIVE_INFINITY) <= mostNanoUsd) &&
    totalMs >= leastMs &&
    totalMs <= mostMs
  )
}

function isSame<Value>(sought: Value | undefined, found: Value | undefined): boolean {
  return sought === undefined || sought === found
}
