import type { IncomingMessage } from 'node:http'
import { Failure } from '../../core/model/failure.ts'

/**
 * Awaits the body of a request. Rejects with a Failure of status 408 if no data arrives for 10 s, or if after 5 s the
 * average is below 8 KiB/s. There is no limit for the total time.
 */
export function inTime<Value>(request: IncomingMessage, reading: Promise<Value>): Promise<Value> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const { socket } = request
  // Counts bytes on the connection, so that the body is left to its reader. Bytes that arrived with the headers count.
  const before = socket.bytesRead - request.readableLength
  let seconds = 0
  let idleSeconds = 0
  let arrived = request.readableLength
  const giveUp = (how: string) => {
    // Further bytes are discarded.
    request.removeAllListeners('data')
    reject(tooSlow(how))
  }
  const look = () => {
    const now = socket.bytesRead - before
    // Counts timer ticks, so that a delayed event loop gives callers more time.
    seconds++
    idleSeconds = now > arrived ? 0 : idleSeconds + 1
    arrived = now
    if (idleSeconds >= idleLimit) giveUp(`No data arrived for ${idleLimit} seconds.`)
    else if (seconds >= graceSeconds && now < seconds * leastPerSecond) {
      giveUp(`It arrived at less than ${leastPerSecond} bytes a second.`)
    }
  }
  const timer = setInterval(look, 1000)
  return Promise.race([reading, late]).finally(() => clearInterval(timer))
}

const idleLimit = 10
const graceSeconds = 5
const leastPerSecond = 8192

function tooSlow(how: string): Failure {
  return new Failure('invalid_request', `The request's body took too long. ${how}`, {
    code: 'request_timeout',
    shown: { status: 408 },
  })
}
