import { createServer, type Server, type ServerResponse } from 'node:http'
import { type Dispatcher, Pool } from 'undici'
import { announce } from './announce.ts'

/**
 * The yardstick: the least that a Node proxy of this stack can do. It reads the caller's body whole, sends it on with
 * undici's `dispatch`, and gives back what comes: a JSON answer whole, a stream piece by piece. It parses nothing,
 * checks nothing, logs nothing and counts nothing.
 */
export function createPassThrough(upstreamPort: number): Server {
  const pool = new Pool(`http://127.0.0.1:${upstreamPort}`, { connections: 1024, pipelining: 1 })

  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const [first] = parts
      const body = parts.length === 1 && first !== undefined ? first : Buffer.concat(parts)
      const path = request.url ?? '/'
      pool.dispatch({ path, method: 'POST', headers: forwardedHeaders, body }, createRelay(response))
    })
  })
  server.once('close', () => pool.destroy())
  return server
}

const forwardedHeaders = ['content-type', 'application/json', 'authorization', 'Bearer sk-bench']

function createRelay(response: ServerResponse): Dispatcher.DispatchHandler {
  const parts: Buffer[] = []
  let status = 0
  let streams = false

  return {
    onRequestStart() {},
    onResponseStart(controller, upstreamStatus, headers) {
      status = upstreamStatus
      streams = String(headers['content-type']).startsWith('text/event-stream')
      if (!streams) return
      response.writeHead(status, streamHeaders)
      response.once('close', () => {
        if (!response.writableFinished) controller.abort(new Error('the caller left'))
      })
    },
    onResponseData(controller, part) {
      if (!streams) parts.push(part)
      else if (!response.write(part)) {
        controller.pause()
        response.once('drain', () => controller.resume())
      }
    },
    onResponseEnd() {
      if (streams) {
        response.end()
        return
      }
      const [first] = parts
      const body = parts.length === 1 && first !== undefined ? first : Buffer.concat(parts)
      response.writeHead(status, ['content-type', 'application/json', 'content-length', String(body.length)])
      response.end(body)
    },
    onResponseError() {
      response.destroy()
    },
  }
}

const streamHeaders = ['content-type', 'text/event-stream; charset=utf-8', 'cache-control', 'no-cache']

if (import.meta.main) announce(createPassThrough(Number(process.argv[2])))
