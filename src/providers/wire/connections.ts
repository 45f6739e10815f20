import type { Socket } from 'node:net'
import { buildConnector } from 'undici'
import type { Clock } from '../../core/model/ports.ts'

/** The connections to one upstream, and the requests on them. */
export interface Connections {
  /** Opens one, as an undici connector. */
  readonly connect: buildConnector.connector
  /** Called with the connection of the next request. */
  begin(request: Carried): void
}

/** A request that wants to know its connection. */
export interface Carried {
  carriedBy(ride: Ride): void
}

/** One request on its connection. */
export interface Ride {
  /**
   * True if the error means that a reused connection was closed within a second of the request, without a byte of an
   * answer: the upstream closed an idle connection, and need not have seen the request.
   */
  isStale(error: Error): boolean
  /** All of the request was handed to the network. */
  readonly isSentInFull: boolean
}

/** The connection was closed, by either side. */
export function isLost(error: Error): boolean {
  return 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE')
}

export function createConnections(connectMs: number, clock: Clock): Connections {
  const connector = buildConnector({ allowH2: false, timeout: connectMs })
  let beginning: Carried | undefined
  const start = (ride: Ride) => {
    beginning?.carriedBy(ride)
    beginning = undefined
  }
  return {
    begin(request) {
      beginning = request
    },
    connect(options, callback) {
      connector(options, (...[error, socket]: buildConnector.CallbackArgs) => {
        if (error !== null) callback(error, null)
        else callback(null, followed(socket, start, clock))
      })
    },
  }
}

/** Requests are recognised by their heads, the only part written as text. One is in flight at a time. */
function followed<Followed extends Socket>(
  socket: Followed,
  start: (ride: Ride) => void,
  clock: Clock,
): Followed {
  const write = socket.write.bind(socket) as Write
  let rides = 0
  let current: Trip | undefined
  const follow: Write = (piece, encoding) => {
    if (typeof piece === 'string') {
      current = new Trip(socket, rides++ > 0, clock)
      start(current)
    }
    const trip = current
    if (trip === undefined) return write(piece, encoding)
    trip.unwritten++
    return write(piece, encoding, (error) => {
      if (!error) trip.unwritten--
    })
  }
  socket.write = follow as Socket['write']
  return socket
}

type Write = (
  piece: string | Buffer,
  encoding?: BufferEncoding,
  written?: (error?: Error | null) => void,
) => boolean

class Trip implements Ride {
  /** Bytes not handed to the network yet. */
  unwritten = 0
  readonly #socket: Socket
  readonly #isReused: boolean
  readonly #readBefore: number
  readonly #clock: Clock
  readonly #startedAt: number

  constructor(socket: Socket, isReused: boolean, clock: Clock) {
    this.#socket = socket
    this.#isReused = isReused
    this.#readBefore = socket.bytesRead
    this.#clock = clock
    this.#startedAt = clock.now()
  }

  isStale(error: Error): boolean {
    if (!this.#isReused || this.#socket.bytesRead !== this.#readBefore) return false
    const isClosed = isLost(error) || ('code' in error && error.code === 'UND_ERR_SOCKET')
    return isClosed && this.#clock.now() - this.#startedAt < staleMs
  }

  get isSentInFull(): boolean {
    return this.unwritten === 0
  }
}

/** An upstream that closes later may have worked on the request. */
const staleMs = 1000
