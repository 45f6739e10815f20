import type { Socket } from 'node:net'
import { buildConnector } from 'undici'
import type { Clock } from '../../core/model/ports.ts'

/** The connections to one upstream, and which of them each request goes out on. */
export interface Connections {
  /** Opens one, as undici asks for it. */
  readonly connect: buildConnector.connector
  /** Called with the connection that the next request goes out on. */
  begin(request: Carried): void
}

/** A request that wants to know which connection it went out on. */
export interface Carried {
  carriedBy(ride: Ride): void
}

/** One request on its connection. */
export interface Ride {
  /**
   * This error is that the connection, which had served before, was closed within a second of the request, and
   * without a
   * byte of an answer: the upstream closed it for idleness, and need not have seen the request.
   */
  isStale(error: Error): boolean
  /** All of the request was handed to the network. */
  readonly isSentInFull: boolean
}

/** The connection was closed, by either end of it. */
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

/** Its requests are told apart by their heads, which alone are written as text: one is under way at a time. */
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
  /** Pieces that are still to be handed to the network. */
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

/** An upstream that closes later than this may have been at work. */
const staleMs = 1000
