import { type Connection, openConnection, requestBytes } from './connection.ts'
import { createEventCounter } from './event-counter.ts'
import { noOutcome, type Outcome, type StreamJob } from './jobs.ts'

/**
 * Streams, so many at a time, each place one at least; those that `durationMs` began are read to their end, and
 * each must have one.
 */
export async function runStreams(job: StreamJob): Promise<Outcome> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const request = requestBytes(job.ask)
  const startedAt = performance.now()
  const deadline = startedAt + job.durationMs
  const connections = Array.from({ length: job.concurrent }, () => openConnection(job.ask.port, reject))
  const latenciesMs: number[] = []
  let busy = job.concurrent
  let requests = 0
  let events = 0

  const leave = () => {
    busy -= 1
    if (busy === 0) resolve()
  }
  const ask = (connection: Connection) => {
    const counter = createEventCounter()
    const askedAt = performance.now()
    let started = false
    connection.send(request, {
      body(bytes) {
        if (!started) latenciesMs.push(performance.now() - askedAt)
        started = true
        counter.read(bytes)
      },
      end() {
        requests += 1
        events += counter.events()
        if (!counter.terminated()) reject(new Error('a stream ended without its terminator'))
        else if (counter.events() < job.leastEvents)
          reject(new Error(`only ${counter.events()} events in a stream`))
        else if (performance.now() < deadline) ask(connection)
        else leave()
      },
    })
  }

  const timers = connections.map((connection, place) => setTimeout(ask, place * job.staggerMs, connection))
  try {
    await promise
    const seconds = (performance.now() - startedAt) / 1000
    return { ...noOutcome, requests, seconds, events, latenciesMs }
  } finally {
    for (const timer of timers) clearTimeout(timer)
    for (const connection of connections) connection.close()
  }
}
