import { createHmac } from 'node:crypto'
import type { AdminEntry, Projection } from '../../core/model/journal.ts'
import { isObject, numberOf } from '../../core/model/json/json.ts'
import type { Applied, Desk } from '../desk.ts'
import type { AlertSettings } from '../settings.ts'
import { usdOf } from '../usd.ts'
import { titleOf } from './budget.ts'

/** Reports, once per window, that a part of a budget is used. */
export interface Alerts {
  /** Checks budgets on which something was spent. */
  look(applied: readonly Applied[]): void
  /** Notes an alert of another node. False: it was known. */
  hear(entry: AdminEntry): boolean
  /** Alerts that were sent are not sent again after a restart. */
  readonly projection: Projection
}

/** Logs an alert on a counter, and posts it if there is a webhook. Must not throw or wait. */
export type SendAlert = (alert: Alert, post: AlertPost | undefined, counter: string) => void

export type AlertsParts = {
  readonly desk: Desk
  readonly settings: () => AlertSettings
  /** Stores that it was sent. */
  readonly note: (entry: AdminEntry) => void
  readonly send: SendAlert
}

export type Alert = {
  readonly budget: string
  readonly title: string
  readonly window: string
  /** The part that was reached, such as 0.9. */
  readonly at: number
  readonly limit_usd: number
  readonly limit_nano_usd: number
  readonly spent_usd: number
  readonly spent_nano_usd: number
}

/** A body and its signature, which proves that the gateway sent it: the HMAC-SHA-256 of the body, in hex. */
export type AlertPost = {
  readonly url: string
  readonly body: string
  readonly signature: string | undefined
}

export function createAlerts(parts: AlertsParts): Alerts {
  const { desk, settings, note, send } = parts
  /** By counter: the highest part that was reported. */
  const sent = new Map<string, number>()
  /** Where something was spent, by counter: the calls of one turn are one read, after what they spent was sent. */
  let due = new Map<string, Applied>()
  let isDue = false
  const look = async () => {
    const read = [...due.values()]
    due = new Map()
    isDue = false
    const readings = await desk.state.read(read.map(({ counter }) => counter))
    for (const [index, one] of read.entries()) {
      const { spentNanoUsd = 0, uncertainNanoUsd = 0 } = readings[index] ?? {}
      judge(one, spentNanoUsd + uncertainNanoUsd)
    }
  }
  const judge = (applied: Applied, spentNanoUsd: number) => {
    const { budget, window, counter, limitNanoUsd } = applied
    const { at: parts, webhook, secret } = settings()
    const reached = parts.findLast((part) => spentNanoUsd >= part * limitNanoUsd)
    if (reached === undefined || reached <= (sent.get(counter) ?? 0)) return
    forgetOld(sent, counter)
    sent.set(counter, reached)
    note(entryOf(counter, reached, desk.clock.epochMs()))
    const alert: Alert = {
      ...{ budget: budget.id, title: titleOf(budget), window: window.id, at: reached },
      ...{ limit_usd: usdOf(limitNanoUsd), limit_nano_usd: limitNanoUsd },
      ...{ spent_usd: usdOf(spentNanoUsd), spent_nano_usd: spentNanoUsd },
    }
    const body = JSON.stringify({
      type: 'budget.alert',
      at: new Date(desk.clock.epochMs()).toISOString(),
      data: alert,
    })
    const signature =
      secret === undefined ? undefined : createHmac('sha256', secret).update(body).digest('hex')
    send(alert, webhook === undefined ? undefined : { url: webhook, body, signature }, counter)
  }
  const hear = ({ subject, after }: AdminEntry) => {
    const at = isObject(after) ? numberOf(after['at']) : Number.NaN
    if (subject.kind !== kind || !(at > (sent.get(subject.id) ?? 0))) return false
    sent.set(subject.id, at)
    return true
  }
  return {
    hear,
    projection: {
      name: 'alerts',
      restore(snapshot) {
        for (const [counter, at] of Array.isArray(snapshot) ? (snapshot as SentAlerts) : [])
          sent.set(counter, at)
      },
      apply(entry) {
        if (entry.type === 'admin') hear(entry)
      },
      snapshot: (): SentAlerts => [...sent],
    },
    look(applied) {
      const { at: parts } = settings()
      for (const one of applied) {
        if ((parts.at(-1) ?? 0) > (sent.get(one.counter) ?? 0)) due.set(one.counter, one)
      }
      if (due.size > 0 && !isDue) setImmediate(() => void look())
      isDue = due.size > 0
    },
  }
}

type SentAlerts = readonly (readonly [counter: string, at: number])[]

const kind = 'alert'

/** An audit row that stores that the alert was sent. */
function entryOf(counter: string, reached: number, at: number): AdminEntry {
  return {
    ...{ type: 'admin', id: `alert_${counter}_${reached}`, at, actor: 'gateway', action: 'budget.alert' },
    ...{ subject: { kind, id: counter }, before: null, after: { at: reached } },
  }
}

/** Other windows of the same budget have ended. */
function forgetOld(sent: Map<string, number>, counter: string): void {
  const budget = counter.slice(0, counter.lastIndexOf('|') + 1)
  if (sent.size < 10_000) return
  for (const known of sent.keys()) if (known.startsWith(budget)) sent.delete(known)
}
