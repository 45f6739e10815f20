import { createServer, type Server, type Socket } from 'node:net'
import { announce } from './announce.ts'
import { jsonReplies, refusal } from './replies.ts'
import { createRequestReader } from './request-reader.ts'
import { chunksPerBurst, type StreamScript, writeScript } from './stream-script.ts'

/**
 * The mock upstream: Pandotate's wire at `/api/inference`, OpenAI's at `/v1/chat/completions` and
 * `/v1/completions`. Bare sockets and answers made beforehand, so that it is never what limits a proxy.
 */
export function createUpstream(): Server {
  const scripts = new Map<string, StreamScript | undefined>()

  return createServer({ noDelay: true }, (socket) => {
    const read = createRequestReader((path, body) => answer(socket, path, body))
    socket.on('data', (bytes) => {
      try {
        read(bytes)
      } catch (error) {
        socket.end(refusal(400, String(error)))
      }
    })
    socket.on('error', () => socket.destroy())
  })

  function answer(socket: Socket, path: string, body: Buffer): void {
    const reply = jsonReplies.get(path)
    if (reply === undefined) socket.write(refusal(404, `no such route: ${path}`))
    else if (body[0] !== openBrace || body.at(-1) !== closeBrace)
      socket.write(refusal(400, 'not a whole body'))
    else {
      const script = path === '/api/inference' ? undefined : findScript(path, body)
      if (script === undefined) socket.write(reply)
      else play(script, socket)
    }
  }

  function findScript(path: string, body: Buffer): StreamScript | undefined {
    const model = readModel(body)
    if (!model.startsWith('stream-') || !asksForStream.test(body.toString('latin1'))) return undefined
    const key = `${path} ${model}`
    if (!scripts.has(key)) scripts.set(key, writeScript(model, path === '/v1/completions' ? 'text' : 'chat'))
    return scripts.get(key)
  }
}

const openBrace = 0x7b
const closeBrace = 0x7d
const asksForStream = /"stream"\s*:\s*true/

/** Found, not parsed: what a megabyte body costs to parse would be the upstream's, not the proxy's. */
function readModel(body: Buffer): string {
  const at = body.indexOf('"model"')
  return at === -1 ? '' : (/^"model"\s*:\s*"([^"]*)"/.exec(body.toString('latin1', at, at + 200))?.[1] ?? '')
}

function play(script: StreamScript, socket: Socket): void {
  socket.write(script.opening)
  if (script.pacingMs === 0) pour(script, socket)
  else drip(script, socket)
}

function drip(script: StreamScript, socket: Socket): void {
  let sent = 1
  const timer = setInterval(() => {
    if (sent < script.chunks) socket.write(script.content)
    else {
      stop()
      socket.write(script.ending)
    }
    sent += 1
  }, script.pacingMs)
  const stop = () => {
    clearInterval(timer)
    socket.off('close', stop)
  }
  socket.once('close', stop)
}

function pour(script: StreamScript, socket: Socket): void {
  let sent = 1
  const more = () => {
    while (sent < script.chunks) {
      const whole = script.chunks - sent >= chunksPerBurst
      sent += whole ? chunksPerBurst : 1
      if (!socket.write(whole ? script.burst : script.content)) {
        socket.once('drain', more)
        return
      }
    }
    socket.write(script.ending)
  }
  more()
}

if (import.meta.main) announce(createUpstream())
