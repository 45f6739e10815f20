import { runClosedLoop } from './closed-loop.ts'
import { createHeldStreams } from './held-streams.ts'
import type { Job, Outcome, Trouble } from './jobs.ts'
import { runOpenLoop } from './open-loop.ts'
import { runStreams } from './stream-loop.ts'

/** The load client, a process of its own: jobs come in as messages, outcomes go back. */
function serveJobs(): void {
  const held = createHeldStreams()

  process.on('message', async (job: Job) => {
    process.send?.(await bounded(job).catch((error: unknown): Trouble => ({ trouble: String(error) })))
  })
  process.on('disconnect', () => process.exit())

  async function bounded(job: Job): Promise<Outcome> {
    const { promise, reject } = Promise.withResolvers<never>()
    const limitMs = ('durationMs' in job ? job.durationMs : 0) + graceMs
    const timer = setTimeout(() => reject(new Error(`${job.kind}: not over after ${limitMs} ms`)), limitMs)
    try {
      return await Promise.race([run(job), promise])
    } finally {
      clearTimeout(timer)
    }
  }

  async function run(job: Job): Promise<Outcome> {
    switch (job.kind) {
      case 'closed-loop':
        return await runClosedLoop(job)
      case 'open-loop':
        return await runOpenLoop(job)
      case 'streams':
        return await runStreams(job)
      case 'hold':
        return await held.hold(job)
      case 'release':
        return held.release()
    }
  }
}

/** What was begun within a job's time may take this long to end. */
const graceMs = 30_000

serveJobs()
