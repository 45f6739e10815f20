import { Failure } from '../../core/model/failure.ts'
import type { Attempt } from '../../core/model/ports.ts'
import {
  type PullIterator,
  passThrough,
  rethrow,
  type UseFailure,
  type UseStep,
} from '../../core/model/pull-iterator.ts'
import { connectionFailure, noHttp, type Phase, unreached } from './connection-failure.ts'
import { type Carried, isLost, type Ride } from './connections.ts'
import type { ExchangeParts, Sending } from './exchange-parts.ts'
import { isEventStream, requestIdIn, type WireAnswer } from './wire-answer.ts'

/**
 * One request and its answer, from the wait for a connection to the last byte. One object is undici's handler (the
 * methods `on…`), the listener of the attempt's signal and the answer: there is one per request, and each role needs
 * the others' state.
 */
export class Exchange implements WireAnswer, AsyncIterator<Buffer>, PullIterator<Buffer>, Carried {
  status = 0
  readonly #parts: ExchangeParts
  readonly #attempt: Attempt
  readonly #wholeBytes: number
  readonly #served: Sending['served']
  /** Undefined once they were used. */
  #waitAgain: (() => void) | undefined
  #sendAgain: (() => void) | undefined
  readonly #answered = Promise.withResolvers<WireAnswer>()
  #phase: Phase | 'over' = 'waiting'
  #controller: Controller | null = null
  #ride: Ride | undefined
  #headers: ResponseHeaders = {}
  /** Why there is no more; undefined while there may be, and after a whole body. */
  #failure: { readonly thrown: unknown } | undefined
  #pieces: Buffer[] = []
  #waitingBytes = 0
  /** How much may be buffered: above it a stream is paused, and a collected body is refused. */
  #limitBytes = pauseBytes
  #collecting = false
  #wake: (() => void) | undefined
  #linger: NodeJS.Timeout | undefined
  /** For an attempt that has less time to connect than connections have. */
  #connecting: NodeJS.Timeout | undefined

  constructor(parts: ExchangeParts, attempt: Attempt, { wholeBytes, waitAgain, sendAgain, served }: Sending) {
    this.#parts = parts
    this.#attempt = attempt
    this.#wholeBytes = wholeBytes
    this.#served = served
    this.#waitAgain = waitAgain
    this.#sendAgain = sendAgain
    // An attempt may send several requests: once one of them was sent, it stays so.
    attempt.notes.isUnsent ??= true
    const { connectMs = parts.connectMs } = attempt
    if (connectMs < parts.connectMs)
      this.#connecting = setTimeout(() => this.#drop(unreached(parts.name)), connectMs)
    if (attempt.signal.aborted) this.handleEvent()
    else attempt.signal.addEventListener('abort', this)
  }

  get answered(): Promise<WireAnswer> {
    return this.#answered.promise
  }

  header(name: string): string | undefined {
    const value = this.#headers[name]
    return Array.isArray(value) ? value.join(', ') : value
  }

  text(limitBytes: number): string | Promise<string> {
    this.#refuseEncoded()
    this.#collect(limitBytes)
    if (this.#phase === 'over' || this.#waitingBytes > limitBytes) return this.#collected(limitBytes)
    this.#resume()
    return new Promise((resolve, reject) => {
      this.#wake = () => {
        try {
          resolve(this.#collected(limitBytes))
        } catch (thrown) {
          reject(thrown)
        }
      }
    })
  }

  /** Wakes the reader only at the end, or when the answer is over the limit. */
  #collect(limitBytes: number): void {
    this.#collecting = true
    this.#limitBytes = limitBytes
  }

  #collected(limitBytes: number): string {
    if (this.#failure !== undefined) throw this.#failure.thrown
    if (this.#waitingBytes > limitBytes) throw this.#tooLong()
    return this.#take().toString('utf8')
  }

  chunks(): AsyncIterable<Buffer> {
    this.#refuseEncoded()
    return { [Symbol.asyncIterator]: () => this }
  }

  next(): Promise<IteratorResult<Buffer, undefined>> {
    return this.takeStep(passThrough, rethrow)
  }

  takeStep<Used>(use: UseStep<Buffer, Used>, failed: UseFailure<Used>): Promise<Used> {
    return new Promise((resolve, reject) => {
      const give = () => {
        try {
          if (this.#pieces.length > 0) resolve(use({ done: false, value: this.#take() }))
          else if (this.#phase !== 'over') this.#wake = give
          else if (this.#failure !== undefined) resolve(failed(this.#failure.thrown))
          else resolve(use({ done: true, value: undefined }))
        } catch (thrown) {
          reject(thrown)
        }
      }
      give()
    })
  }

  async return(): Promise<IteratorResult<Buffer, undefined>> {
    this.discard()
    return { done: true, value: undefined }
  }

  discard(): void {
    this.#pieces = []
    if (this.#phase === 'over' || this.#linger !== undefined) return
    this.#attempt.signal.removeEventListener('abort', this)
    this.#linger = setTimeout(() => this.#drop(unwanted), this.#parts.lingerMs ?? defaultLingerMs)
    this.#linger.unref()
    this.#resume()
  }

  /** The attempt's signal aborted. */
  handleEvent(): void {
    this.#pieces = []
    this.#drop(this.#attempt.signal.reason)
  }

  onRequestStart(controller: Controller): void {
    // Cancelled while it waited. Throwing here keeps the connection intact; aborting would close it.
    if (this.#phase === 'over') throw unwanted
    clearTimeout(this.#connecting)
    this.#controller = controller
    this.#phase = 'sent'
    this.#parts.connections.begin(this)
    this.#attempt.notes.isUnsent = false
  }

  carriedBy(ride: Ride): void {
    this.#ride = ride
  }

  onResponseStart(_controller: Controller, status: number, headers: ResponseHeaders): void {
    if (status < 100) {
      this.#drop(noHttp({ provider: this.#parts.name }))
      return
    }
    if (status < 200) return
    this.status = status
    this.#headers = headers
    this.#phase = 'body'
    const { notes } = this.#attempt
    notes.headersAt = this.#parts.clock.now()
    notes.upstreamStatus = status
    notes.onHeaders?.(status, (name) => this.header(name))
    if (status < 300 && this.#served !== undefined) this.#served.any = true
    notes.upstreamRequestId = requestIdIn(this)
    this.#wake = this.#answer
    if (this.#isWantedWhole()) this.#collect(this.#wholeBytes)
    else this.#rouse()
  }

  onResponseData(controller: Controller, piece: Buffer): void {
    if (this.#phase === 'over') return
    if (this.#linger !== undefined) {
      this.#drop(unwanted)
      return
    }
    this.#pieces.push(piece)
    this.#waitingBytes += piece.length
    const isFull = this.#waitingBytes > this.#limitBytes
    if (isFull) controller.pause()
    // A collected body is of no use before its end.
    if (isFull || !this.#collecting) this.#rouse()
  }

  onResponseEnd(): void {
    this.#rouse()
    this.#end()
  }

  onResponseError(_controller: Controller | null, error: Error): void {
    if (this.#phase === 'over') return
    const waitAgain = this.#waitAgain
    this.#waitAgain = undefined
    // The upstream closed an idle connection. undici also fails the request queued on it, of which no byte was sent.
    if (this.#phase === 'waiting' && waitAgain !== undefined && isLost(error)) {
      waitAgain()
      return
    }
    const isStale = this.#phase === 'sent' && this.#ride?.isStale(error) === true
    const sendAgain = this.#sendAgain
    this.#sendAgain = undefined
    if (isStale && sendAgain !== undefined) {
      this.#phase = 'waiting'
      sendAgain()
      return
    }
    const { name: provider } = this.#parts
    const isSentInFull = this.#ride?.isSentInFull
    this.#fail(connectionFailure(error, this.#phase, { provider, isStale, isSentInFull }))
  }

  readonly #answer = () => this.#answered.resolve(this)

  #isWantedWhole(): boolean {
    if (this.#wholeBytes === 0 || this.status >= 300) return false
    // A compressed answer will be refused: the sooner, the sooner another upstream is asked.
    return !isEventStream(this, false) && !this.#isEncoded()
  }

  #isEncoded(): boolean {
    const encoding = this.header('content-encoding')
    return encoding !== undefined && encoding !== '' && encoding.toLowerCase() !== 'identity'
  }

  /** Identity was requested. Other encodings are not unpacked, because a small body may unpack to any size. */
  #refuseEncoded(): void {
    if (!this.#isEncoded()) return
    this.discard()
    throw new Failure(
      'invalid_response',
      'The upstream sent a compressed answer, which the gateway had not accepted.',
      { provider: this.#parts.name, upstreamStatus: this.status },
    )
  }

  #tooLong(): Failure {
    const message = `The upstream's answer is longer than ${this.#limitBytes} bytes.`
    const detail = { provider: this.#parts.name, upstreamStatus: this.status }
    const failure = new Failure('invalid_response', message, detail)
    this.#pieces = []
    this.#drop(failure)
    return failure
  }

  /** Everything buffered, as one piece: what came in one read is passed on as one. */
  #take(): Buffer {
    const [first] = this.#pieces
    const taken = this.#pieces.length === 1 && first !== undefined ? first : Buffer.concat(this.#pieces)
    this.#pieces = []
    this.#waitingBytes = 0
    this.#resume()
    return taken
  }

  #resume(): void {
    // After the end, the connection may serve another request, which is not ours to resume.
    if (this.#phase !== 'over') this.#controller?.resume()
  }

  /** Its reader continues together with others woken in the same turn of the event loop. */
  #rouse(): void {
    const wake = this.#wake
    this.#wake = undefined
    if (wake !== undefined) this.#parts.batch(wake)
  }

  #drop(thrown: unknown): void {
    if (this.#phase === 'over') return
    this.#fail(thrown)
    this.#controller?.abort(unwanted)
  }

  #fail(thrown: unknown): void {
    const isAnswered = this.#phase === 'body'
    this.#failure = { thrown }
    this.#end()
    // A caller that has its answer notices when it reads on.
    if (!isAnswered) this.#answered.reject(thrown)
  }

  #end(): void {
    this.#phase = 'over'
    this.#attempt.signal.removeEventListener('abort', this)
    clearTimeout(this.#linger)
    clearTimeout(this.#connecting)
    this.#wake?.()
  }
}

/** What undici gives a handler to control its request. */
type Controller = { abort(reason: Error): void; pause(): void; resume(): void }

type ResponseHeaders = { readonly [name: string]: string | string[] | undefined }

/** How much of a stream may be buffered for its reader. */
const pauseBytes = 256 * 1024

/** A terminator follows the last event within this time, or not at all. */
const defaultLingerMs = 1000

/** The reason given to undici when a request is cancelled. It is not visible elsewhere. */
const unwanted = new Error('The request was aborted.')
