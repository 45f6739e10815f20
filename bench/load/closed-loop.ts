import { type Connection, openConnection, requestBytes } from './connection.ts'
import { type ClosedLoopJob, noOutcome, type Outcome } from './jobs.ts'

/** As many requests as the target answers: what `durationMs` began is finished and counted. */
export async function runClosedLoop(job: ClosedLoopJob): Promise<Outcome> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const request = requestBytes(job.ask)
  const startedAt = performance.now()
  const deadline = startedAt + job.durationMs
  const connections = Array.from({ length: job.connections }, () => openConnection(job.ask.port, reject))
  let asked = 0
  let answered = 0

  const ask = (connection: Connection) => {
    if (asked === job.mostRequests || performance.now() >= deadline) {
      if (answered === asked) resolve()
      return
    }
    asked += 1
    connection.send(request, {
      body() {},
      end() {
        answered += 1
        ask(connection)
      },
    })
  }

  try {
    for (const connection of connections) ask(connection)
    await promise
    return { ...noOutcome, requests: answered, seconds: (performance.now() - startedAt) / 1000 }
  } finally {
    for (const connection of connections) connection.close()
  }
}
