import cluster, { type Worker } from 'node:cluster'
import { once } from 'node:events'
import { setTimeout } from 'node:timers/promises'
import type { Logger } from 'pino'
import { createPeer, type Peer } from '../../state/primary/peer.ts'
import type { LogOutput } from '../../telemetry/output.ts'
import { processChannel } from './process-channel.ts'
import { relayLines } from './relay-lines.ts'

/** The workers of a gateway: so many at any time, each known by its owner's name. */
export interface Fleet {
  /** Resolves with the address of all of them once each serves; rejects as the first that cannot. */
  start(): Promise<string>
  tell(method: string, ...given: readonly unknown[]): void
  /** The answers of those that give one in time. */
  askAll(method: string, ...given: readonly unknown[]): Promise<readonly unknown[]>
  /** From now on none is replaced. */
  retire(): void
  /** Resolves once the last has ended, and all it wrote was read. */
  readonly ended: Promise<void>
  kill(): void
}

export type FleetParts = {
  readonly count: number
  readonly log: Logger
  /** Gets the lines that workers write to their standard output. */
  readonly output: Pick<LogOutput, 'writeBytes'>
  /** Has the worker of this name served with all that it may ask for; what is given back is called when it is gone. */
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
  /** Of those that ended soon after they had begun, in a row. */
  #early = 0

  constructor(parts: FleetParts) {
    this.#parts = parts
  }

  get ended(): Promise<void> {
    return this.#ended.promise
  }

  async start(): Promise<string> {
    // The workers share one listening socket. Handed round by the primary, a connection costs 29 µs more, and one that is
    // on its way to a worker that is killed would stay open, unanswered.
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
    // Of those that come later, nobody waits for it.
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
    // What it said last is read before it counts as gone. Where a connection was just being handed to it, Node.js waits
    // for a word of it for ever.
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

/** A worker that takes longer to answer is busy, or dying. */
const patienceMs = 5000

const lastWordsMs = 500

const soonMs = 10_000
const firstWaitMs = 250
const longestWaitMs = 30_000
