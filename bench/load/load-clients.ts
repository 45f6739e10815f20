import type { Crew, Member } from '../setup/crew.ts'
import type { Placement } from '../setup/machine.ts'
import { type Job, noOutcome, type Outcome, type Trouble } from './jobs.ts'

/** The load clients, one per processor set aside for them. They live for the whole run, and so stay warm. */
export function startLoadClients(crew: Crew, placement: Placement): LoadClients {
  const script = `${import.meta.dirname}/load.ts`
  const clients = placement.load.map((processor) =>
    crew.start({ name: 'a load client', command: [script], processor, talks: true }),
  )

  return {
    async alone(job) {
      const [first] = clients
      return first === undefined ? noOutcome : await run(first, job)
    },
    async together(share) {
      const jobs = clients.map((client, place) => run(client, share(clients.length, place)))
      return (await Promise.all(jobs)).reduce(add, noOutcome)
    },
  }
}

export interface LoadClients {
  /** The first client runs the job. */
  alone(job: Job): Promise<Outcome>
  /** Each client runs its share of a job. */
  together(share: (clients: number, place: number) => Job): Promise<Outcome>
}

async function run(client: Member, job: Job): Promise<Outcome> {
  const answer = (await client.ask(job)) as Outcome | Trouble
  if ('trouble' in answer) throw new Error(`${job.kind}: ${answer.trouble}`)
  return answer
}

/** They ran side by side: counts add up, times do not. */
function add(left: Outcome, right: Outcome): Outcome {
  return {
    requests: left.requests + right.requests,
    seconds: Math.max(left.seconds, right.seconds),
    events: left.events + right.events,
    latenciesMs: [...left.latenciesMs, ...right.latenciesMs],
    overrun: left.overrun || right.overrun,
  }
}
