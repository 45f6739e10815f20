import { type Connection, openConnection, requestBytes } from './connection.ts'
import { type HoldJob, noOutcome, type Outcome } from './jobs.ts'

/** Streams that stay open between jobs, for as long as their memory is being looked at. */
export function createHeldStreams(): HeldStreams {
  const held: Connection[] = []
  const broken: Error[] = []

  return {
    async hold(job) {
      const request = requestBytes(job.ask)
      const opened = Array.from({ length: job.streams }, () => {
        const { promise, resolve, reject } = Promise.withResolvers<void>()
        const fail = (error: Error) => {
          broken.push(error)
          reject(error)
        }
        const connection = openConnection(job.ask.port, fail)
        held.push(connection)
        connection.send(request, { body: () => resolve(), end: () => fail(new Error('a held stream ended')) })
        return promise
      })
      await Promise.all(opened)
      return { ...noOutcome, requests: opened.length }
    },
    release() {
      for (const connection of held.splice(0)) connection.close()
      const [error] = broken
      if (error !== undefined) throw error
      return noOutcome
    },
  }
}

export interface HeldStreams {
  /** Resolves when every stream has sent its first byte. */
  hold(job: HoldJob): Promise<Outcome>
  /** Throws when one of them did not last until now. */
  release(): Outcome
}
