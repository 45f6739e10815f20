import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import type { JsonObject } from '../../../src/core/model/json/json.ts'
import type { Price } from '../../../src/core/model/price.ts'
import type { Kind } from '../../../src/core/model/terms.ts'
import { type BillLine, createBill } from '../../../src/simulator/server/bill.ts'
import { answerWords, promptTokens, wordsSaid } from './answer.ts'
import { readRequests } from './request-reader.ts'

/** An upstream of bare sockets that misbehaves as the model's name says, and keeps count of what it cost. */
export type FaultUpstream = AsyncDisposable & {
  readonly origin: string
  /** Requests for a model, by its whole name, and every attempt id of them in the order they came. */
  hits(model: string): number
  attempts(model: string): readonly string[]
  /** What the requests for a model said, newest last. */
  bodies(model: string): readonly JsonObject[]
  /** How many of a model's requests were given up by the other side before they were answered. */
  abandoned(model: string): number
  /** Bytes that left for a model's requests, on connections that are closed. */
  sentBytes(model: string): number
  /** Requests that are neither answered nor given up. */
  readonly busy: number
  readonly connections: number
  /** What it charged for since it was last asked. */
  takeBill(): Bill
  /** Resolves when the condition holds; it is looked at whenever something happened here. */
  until(condition: () => boolean): Promise<void>
  /** Says that the caller of this call has heard what was said to it so far. */
  heard(callId: string): void
  /** Closes the connections on which nothing is running. */
  closeIdle(how?: 'FIN' | 'RST'): void
  /** Takes connections to another server for its own, such as one that speaks TLS. */
  take(socket: Socket): void
}

export type Bill = {
  readonly lines: readonly BillLine[]
  /** Attempts whose answer did not get to tell what it cost: the other side can only estimate it. */
  readonly untold: ReadonlySet<string>
}

/** One request, and what it takes to misbehave on it. */
export type Served = {
  readonly socket: Socket
  readonly kind: Kind
  readonly stream: boolean
  readonly model: string
  readonly body: JsonObject
  readonly headers: Readonly<Record<string, string>>
  /** Which request on its connection, from 1. */
  readonly turn: number
  /** The words that are left to say: fewer where the prompt has some already. */
  readonly words: readonly string[]
  readonly promptTokens: number
  /** Counts tokens as generated: from now on the request costs something. */
  work(words: number): void
  /** The answer is out, whole, and the usage in it told. The connection may serve again. */
  finish(): void
  /** The same for an answer that does not report its cost, or reports it where the gateway cannot read it. */
  finishUntold(): void
  /** Continues once the caller has all text before a break; never if it does not get it. */
  whenHeard(goOn: () => void): void
  /** Runs `tick` repeatedly until the request is answered or given up. */
  every(ms: number, tick: () => void): void
}

/** What an upstream does with a request. Doing nothing is being silent. */
export type Fault = (served: Served) => void

/** What everything costs, at every upstream of the suite. */
export const price: Price = {
  inputNanoUsdPerMillion: 300_000_000,
  cachedInputNanoUsdPerMillion: undefined,
  outputNanoUsdPerMillion: 900_000_000,
  nanoUsdPerSecond: undefined,
}

/**
 * Starts one over the faults it knows by name. A model is called `fault`, or `first*3,second` where its requests
 * meet them in turn, the last one for all that follow; whatever comes after a `/` only tells models apart.
 */
export async function startFaultUpstream(faults: ReadonlyMap<string, Fault>): Promise<FaultUpstream> {
  const state = createState(faults)
  const server = createServer({ noDelay: true }, state.take)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    hits: (model) => state.entry(model).attempts.length,
    attempts: (model) => state.entry(model).attempts,
    bodies: (model) => state.entry(model).bodies,
    abandoned: (model) => state.entry(model).abandoned,
    sentBytes: (model) => state.entry(model).sentBytes,
    get busy() {
      return state.busy.size
    },
    get connections() {
      return state.sockets.size
    },
    takeBill: state.takeBill,
    heard: state.heard,
    until: state.until,
    closeIdle(how = 'FIN') {
      for (const socket of state.sockets) {
        if (state.busy.has(socket)) continue
        if (how === 'RST') socket.resetAndDestroy()
        else socket.end()
      }
    },
    take: state.take,
    [Symbol.asyncDispose]: () => close(server, state.sockets),
  }
}

/** The bodies that are kept of one model: more are only counted. */
const keptBodies = 20

type Entry = {
  readonly attempts: string[]
  readonly bodies: JsonObject[]
  abandoned: number
  sentBytes: number
}

type State = ReturnType<typeof createState>

function createState(faults: ReadonlyMap<string, Fault>) {
  const entries = new Map<string, Entry>()
  const sockets = new Set<Socket>()
  const busy = new Set<Socket>()
  const watchers = new Set<() => void>()
  let book = createBill(() => price)
  let untold = new Set<string>()
  const changed = () => {
    for (const watcher of watchers) watcher()
  }
  const entry = (model: string): Entry => {
    let found = entries.get(model)
    if (found === undefined) {
      found = { attempts: [], bodies: [], abandoned: 0, sentBytes: 0 }
      entries.set(model, found)
    }
    return found
  }
  const take = (socket: Socket) => {
    let turn = 0
    sockets.add(socket)
    // To be broken off is what it is here for.
    socket.on('error', () => undefined)
    socket.on('close', () => {
      sockets.delete(socket)
      changed()
    })
    readRequests(socket, (request) => {
      turn++
      busy.add(socket)
      serve({ ...request, socket, turn })
      changed()
    })
  }
  const serve = (request: Parameters<typeof open>[1]) => {
    const { fault, served } = open(state, request)
    fault(served)
  }
  const until = (condition: () => boolean) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (!condition()) return
        watchers.delete(look)
        resolve()
      }
      watchers.add(look)
      look()
    })
  const takeBill = (): Bill => {
    const bill = { lines: book.lines(), untold }
    book = createBill(() => price)
    untold = new Set()
    return bill
  }
  const listening = new Map<string, () => void>()
  const heard = (callId: string) => {
    for (const [attempt, goOn] of listening) if (attempt.startsWith(callId)) goOn()
  }
  const charge = (line: Parameters<typeof book.charge>[0]) => book.charge(line)
  const leaveUntold = (attempt: string) => untold.add(attempt)
  const state = {
    ...{ faults, sockets, busy, entry, changed, take, until },
    ...{ charge, leaveUntold, takeBill, listening, heard },
  }
  return state
}

type Incoming = {
  readonly socket: Socket
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly turn: number
}

function open(state: State, request: Incoming): { readonly fault: Fault; readonly served: Served } {
  const { socket, path, headers, turn } = request
  const body = JSON.parse(request.body) as JsonObject
  const model = String(body['model'])
  const attempt = headers['x-request-id'] ?? ''
  const entry = state.entry(model)
  entry.attempts.push(attempt)
  if (entry.bodies.length < keptBodies) entry.bodies.push(body)
  const prompt = promptTokens(body)
  let generated: number | undefined
  const endings: (() => void)[] = []
  let isOver = false
  const end = (isTold: boolean) => {
    if (isOver) return
    isOver = true
    socket.off('close', givenUp)
    for (const ending of endings) ending()
    state.busy.delete(socket)
    if (!isTold) state.leaveUntold(attempt)
    if (generated !== undefined) {
      const used = { promptTokens: prompt, cachedTokens: 0, completionTokens: generated, workedMs: undefined }
      state.charge({ attempt, model, ...used })
    }
    state.changed()
  }
  const writtenBefore = socket.bytesWritten
  const givenUp = () => {
    entry.sentBytes += socket.bytesWritten - writtenBefore
    entry.abandoned++
    end(false)
  }
  socket.once('close', givenUp)
  const name = faultOf(model, entry.attempts.length)
  const fault = state.faults.get(name)
  if (fault === undefined) throw new Error(`No fault is called ${name}.`)
  const served: Served = {
    ...{ socket, model, body, headers, turn, promptTokens: prompt },
    kind: path.endsWith('/chat/completions') ? 'chat' : 'text',
    stream: body['stream'] === true,
    words: answerWords.slice(wordsSaid(body)),
    work(words) {
      generated = (generated ?? 0) + words
    },
    finish: () => end(true),
    finishUntold: () => end(false),
    whenHeard(goOn) {
      state.listening.set(attempt, () => {
        state.listening.delete(attempt)
        goOn()
      })
      endings.push(() => state.listening.delete(attempt))
    },
    every(ms, tick) {
      const timer = setInterval(tick, ms)
      endings.push(() => clearInterval(timer))
    },
  }
  return { fault, served }
}

/** Of `first*3,second`, the fault that the request of this number meets, from 1. */
function faultOf(model: string, hit: number): string {
  const turns = model.replace(/\/.*/, '').split(',')
  let left = hit
  for (const turn of turns) {
    const [name = '', times = '1'] = turn.split('*')
    left -= Number(times)
    if (left <= 0) return name
  }
  return turns.at(-1)?.split('*')[0] ?? ''
}

async function close(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  for (const socket of sockets) socket.destroy()
  server.close()
  await once(server, 'close')
}
