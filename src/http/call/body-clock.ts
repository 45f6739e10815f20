import type { IncomingMessage } from 'node:http'
import { Failure } from '../../core/model/failure.ts'

/**
 * What is read of a request's body, unless the body comes too slowly: nothing of it for ten seconds, or, after five, less
 * than 8 KiB a second since the beginning. Rejects then with a Failure whose status is 408. A long body that keeps coming
 * has all the time it takes.
 */
export function inTime<Value>(request: IncomingMessage, reading: Promise<Value>): Promise<Value> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const { socket } = request
  // By what the connection brought, compressed or not: the body is left to its reader. What came with the headers counts.
  const before = socket.bytesRead - request.readableLength
  let seconds = 0
  let idleSeconds = 0
  let arrived = request.readableLength
  const giveUp = (how: string) => {
    // What still arrives is not kept.
    request.removeAllListeners('data')
    reject(tooSlow(how))
  }
  const look = () => {
    const now = socket.bytesRead - before
    // Seconds of ours: a process that is late itself gives its callers the more time.
    seconds++
    idleSeconds = now > arrived ? 0 : idleSeconds + 1
    arrived = now
    if (idleSeconds >= idleLimit) giveUp(`Nothing of it came for ${idleLimit} seconds.`)
    else if (seconds >= graceSeconds && now < seconds * leastPerSecond) {
      giveUp(`It came with less than ${leastPerSecond} bytes a second.`)
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
