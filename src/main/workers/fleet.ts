import cluster, { type Worker } from 'node:cluster'
import { once } from 'node:events'
import { setTimeout } from 'node:timers/promises'
import type { Logger } from 'pino'
import { createPeer, type Peer } from '../../state/primary/peer.ts'
import type { LogOutput } from '../../telemetry/output.ts'
import { processChannel } from './process-channel.ts'
import { relayLines } from './relay-lines.ts'

/** The workers of a gateway: always this many, each with its owner's name. */
export interface Fleet {
  /** Resolves with their common address once each serves. Rejects with the error of the first that cannot. */
  start(): Promise<string>
  tell(method: string, ...given: readonly unknown[]): void
  /** The answers of those that answer in time. */
  askAll(method: string, ...given: readonly unknown[]): Promise<readonly unknown[]>
  /** Replaces no more workers from now on. */
  retire(): void
  /** Resolves once the last has ended, and all of its output was read. */
  readonly ended: Promise<void>
  kill(): void
}

export type FleetParts = {
  readonly count: number
  readonly log: Logger
  /** Receives the lines that workers write to their standard output. */
  readonly output: Pick<LogOutput, 'writeBytes'>
  /** Serves the requests of the worker with this name. The returned function is called when the worker has ended. */
  readonly attend: (worker: Peer, owner: string) => (isLost: boolean) => Promise<void>
  readonly nameOf: (index: number) => string
}

export function createFleet(parts: FleetParts): Fleet {
  return new ClusterFleet(parts)
}

type Member = {
  readonly worker: Worker
  readonly peer: Peer
  readonly owner: string
  readonly serving: PromiseWithResolvers<string>
  readonly bornAt: number
}

class ClusterFleet implements Fleet {
  readonly #parts: FleetParts
  readonly #members = new Set<Member>()
  readonly #ended = Promise.withResolvers<void>()
  #isRetired = false
  #hasStarted = false
  #born = 0
  /** Workers in a row that ended soon after they had started. */
  #early = 0

  constructor(parts: FleetParts) {
    this.#parts = parts
  }

  get ended(): Promise<void> {
    return this.#ended.promise
  }

  async start(): Promise<string> {
    // The workers share one listening socket. If the primary distributed connections, each would cost 29 µs more, and
    // one on its way to a worker that is killed would stay open without an answer.
    cluster.schedulingPolicy = cluster.SCHED_NONE
    cluster.setupPrimary({ serialization: 'advanced', stdio: ['ignore', 'pipe', 'inherit', 'ipc'] })
    const begun = Array.from({ length: this.#parts.count }, () => this.#begin())
    try {
      const [url = ''] = await Promise.all(begun.map(({ serving }) => serving.promise))
      this.#hasStarted = true
      return url
    } catch (thrown) {
      this.retire()
      this.kill()
      await this.ended
      throw thrown
    }
  }

  tell(method: string, ...given: readonly unknown[]): void {
    for (const { peer } of this.#members) peer.tell(method, ...given)
  }

  async askAll(method: string, ...given: readonly unknown[]): Promise<readonly unknown[]> {
    const late = new AbortController()
    const answers = Promise.allSettled(
      Array.from(this.#members, ({ peer }) =>
        Promise.race([peer.ask(method, ...given), setTimeout(patienceMs, undefined, late)]),
      ),
    )
    const settled = await answers
    late.abort()
    return settled.flatMap((one) =>
      one.status === 'fulfilled' && one.value !== undefined ? [one.value] : [],
    )
  }

  retire(): void {
    this.#isRetired = true
    if (this.#members.size === 0) this.#ended.resolve()
  }

  kill(): void {
    for (const { worker } of this.#members) worker.process.kill('SIGKILL')
  }

  #begin(): Member {
    const owner = this.#parts.nameOf(this.#born++)
    const worker = cluster.fork()
    const peer = createPeer(processChannel(worker.process))
    const serving = Promise.withResolvers<string>()
    // Workers that start later are not awaited.
    serving.promise.catch(() => undefined)
    const member: Member = { worker, peer, owner, serving, bornAt: performance.now() }
    this.#members.add(member)
    const leave = this.#parts.attend(peer, owner)
    peer.serve({
      serving: (url: string) => serving.resolve(url),
      failed: ({ message, ...members }: { message: string }) =>
        serving.reject(Object.assign(new Error(message), members)),
    })
    relayLines(worker.process.stdout, this.#parts.output)
    void this.#follow(member, leave)
    return member
  }

  async #follow(member: Member, leave: (isLost: boolean) => Promise<void>): Promise<void> {
    const { worker, peer, serving } = member
    const { process } = worker
    const lastWords = Promise.all([
      once(process, 'disconnect'),
      process.stdout && once(process.stdout, 'end'),
    ])
    lastWords.catch(() => undefined)
    const [code, signal] = (await once(process, 'exit')) as [number | null, string | null]
    // Its last output is read before it counts as ended. If a connection was just being passed to it, Node.js would
    // wait for its confirmation for ever.
    await Promise.race([lastWords, setTimeout(lastWordsMs)])
    if (process.connected) process.disconnect()
    peer.end()
    serving.reject(new Error(`A worker ended (${signal ?? code}) before it served.`))
    await leave(!this.#isRetired)
    this.#members.delete(member)
    if (this.#isRetired) {
      if (this.#members.size === 0) this.#ended.resolve()
      return
    }
    if (this.#hasStarted) await this.#replace(member, code, signal)
  }

  async #replace({ bornAt, worker }: Member, code: number | null, signal: string | null): Promise<void> {
    this.#early = performance.now() - bornAt < soonMs ? this.#early + 1 : 0
    const waitMs = this.#early < 2 ? 0 : Math.min(firstWaitMs * 2 ** (this.#early - 2), longestWaitMs)
    const { log } = this.#parts
    log.error({ worker: worker.process.pid, code, signal, waitMs }, 'a worker ended, and is replaced')
    if (waitMs > 0) await setTimeout(waitMs, undefined, { ref: false })
    if (this.#isRetired) return
    const { serving } = this.#begin()
    serving.promise.catch((err: unknown) => log.error({ err }, 'a worker could not start'))
  }
}

/** A worker that takes longer to answer is busy, or about to end. */
const patienceMs = 5000

const lastWordsMs = 500

const soonMs = 10_000
const firstWaitMs = 250
const longestWaitMs = 30_000
