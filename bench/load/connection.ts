import { connect } from 'node:net'
import type { Ask } from './jobs.ts'
import { createReplyReader } from './reply-reader.ts'

/**
 * One keep-alive connection that carries one exchange at a time. A status other than 200, bytes that are no
 * reply, and a connection lost in mid-exchange all go to `onTrouble`: a benchmark of wrong answers is worthless.
 */
export function openConnection(port: number, onTrouble: (error: Error) => void): Connection {
  let exchange: Exchange | undefined
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  const read = createReplyReader({
    head(status) {
      if (exchange === undefined) throw new Error('an unexpected reply')
      if (status !== 200) throw new Error(`status ${status} from port ${port}`)
    },
    body: (bytes) => exchange?.body(bytes),
    end() {
      const finished = exchange
      exchange = undefined
      finished?.end()
    },
  })
  socket.on('data', (bytes) => {
    try {
      read(bytes)
    } catch (error) {
      fail(error instanceof Error ? error : new Error(String(error)))
    }
  })
  socket.on('error', fail)
  socket.on('close', () => {
    if (exchange !== undefined) fail(new Error(`port ${port} hung up in the middle of an exchange`))
  })

  return {
    send(request, next) {
      exchange = next
      socket.write(request)
    },
    close() {
      exchange = undefined
      socket.destroy()
    },
  }

  function fail(error: Error): void {
    exchange = undefined
    socket.destroy()
    onTrouble(error)
  }
}

export interface Connection {
  /** Only when the exchange before has ended. */
  send(request: Buffer, exchange: Exchange): void
  close(): void
}

export interface Exchange {
  body(bytes: Buffer): void
  end(): void
}

/** The bytes of one POST, headers as an OpenAI SDK would send them. */
export function requestBytes(ask: Ask): Buffer {
  const body = Buffer.from(ask.body)
  const head = [
    `POST ${ask.path} HTTP/1.1`,
    `host: 127.0.0.1:${ask.port}`,
    'accept: application/json',
    'content-type: application/json',
    'user-agent: OpenAI/JS 7.57.0',
    'authorization: Bearer sk-caller-0123456789',
    `content-length: ${body.length}`,
  ]
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), body])
}
