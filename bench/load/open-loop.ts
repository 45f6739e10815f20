import { type Connection, openConnection, requestBytes } from './connection.ts'
import { noOutcome, type OpenLoopJob, type Outcome } from './jobs.ts'

/**
 * Requests at a fixed rate, whatever became of the ones before: each takes an idle connection or opens a new one, so a
 * target that stalls is asked on and its stall is seen by all it delays. Latency runs from the moment of sending; how
 * late this process's own timer was (up to a millisecond) is not the target's doing.
 */
export async function runOpenLoop(job: OpenLoopJob): Promise<Outcome> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const request = requestBytes(job.ask)
  const intervalMs = 1000 / job.ratePerSecond
  const total = Math.floor(job.durationMs / intervalMs)
  const latenciesMs: number[] = []
  const all: Connection[] = []
  const idle: Connection[] = []
  let sent = 0
  let overrun = false
  let timer: NodeJS.Timeout | undefined

  const open = (): Connection => {
    const connection = openConnection(job.ask.port, reject)
    all.push(connection)
    return connection
  }
  const send = () => {
    const connection = idle.shift() ?? open()
    const sentAt = performance.now()
    sent += 1
    connection.send(request, {
      body() {},
      end() {
        latenciesMs.push(performance.now() - sentAt)
        idle.push(connection)
        if (latenciesMs.length === total) resolve()
      },
    })
  }
  const startedAt = performance.now()
  const tick = () => {
    const due = Math.min(total, Math.floor((performance.now() - startedAt) / intervalMs) + 1)
    while (sent < due && sent - latenciesMs.length < mostOutstanding) send()
    overrun = sent < due
    if (overrun) resolve()
    else if (sent < total) {
      timer = setTimeout(tick, Math.max(0, startedAt + sent * intervalMs - performance.now()))
    }
  }

  try {
    for (let count = 0; count < startingConnections; count += 1) idle.push(open())
    tick()
    await promise
    const seconds = (performance.now() - startedAt) / 1000
    return { ...noOutcome, requests: latenciesMs.length, seconds, latenciesMs, overrun }
  } finally {
    clearTimeout(timer)
    for (const connection of all) connection.close()
  }
}

const startingConnections = 8
/** More than this at once and the target is past its limit: there is no latency left to tell. */
const mostOutstanding = 1000
