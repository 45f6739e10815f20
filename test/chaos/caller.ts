import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import type { JsonObject } from '../../src/core/model/json/json.ts'

/** What a caller heard. */
export type Heard = {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** The answer came to its end as HTTP has it: nothing was cut. */
  readonly isEnded: boolean
}

/** A caller in the middle of a call. */
export type Caller = {
  /** What came so far. */
  readonly heard: () => string
  /** Resolves when the answer has come, or was cut off; rejects when there was none. */
  readonly answer: Promise<Heard>
  /** Resolves when what came so far satisfies. */
  until(satisfies: (heard: string) => boolean): Promise<void>
  /** Hangs up: politely, or not. */
  leave(how: Leaving): void
}

export type Leaving = 'FIN' | 'RST'

export type Asked = {
  readonly url: string
  readonly path: string
  readonly body: JsonObject
  readonly headers?: Readonly<Record<string, string>>
  /** Reads nothing of the answer until it leaves. */
  readonly isDeaf?: boolean
  /** Told the call's id when this word has come. */
  readonly lastWord: string
  readonly heardIt: (id: string) => void
}

/** Calls, on a connection of its own. */
export function call(asked: Asked): Caller {
  const { url, path, body, headers = {}, isDeaf = false, lastWord, heardIt } = asked
  const text = JSON.stringify(body)
  const outgoing = request(url + path, {
    method: 'POST',
    agent: false,
    headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text), ...headers },
  })
  const pieces: Buffer[] = []
  const watchers = new Set<() => void>()
  const heard = () => Buffer.concat(pieces).toString('utf8')
  const answer = new Promise<Heard>((resolve, reject) => {
    outgoing.once('error', reject)
    outgoing.once('response', (incoming) => {
      outgoing.on('error', () => undefined)
      if (isDeaf) incoming.pause()
      else read(incoming, pieces, watchers)
      const id = String(incoming.headers['x-request-id'])
      watchers.add(() => {
        if (heard().includes(lastWord)) heardIt(id)
      })
      incoming.once('close', () =>
        resolve({
          status: incoming.statusCode ?? 0,
          headers: headersOf(incoming),
          body: heard(),
          isEnded: incoming.complete,
        }),
      )
    })
  })
  // A caller that leaves ignores the rest.
  answer.catch(() => undefined)
  outgoing.end(text)
  return {
    heard,
    answer,
    until: (satisfies) =>
      new Promise((resolve) => {
        const look = () => {
          if (!satisfies(heard())) return
          watchers.delete(look)
          resolve()
        }
        watchers.add(look)
        look()
      }),
    leave: (how) => leave(outgoing, how),
  }
}

/** The data of each event of a stream. Throws for what is no stream. */
export function eventsOf({ body }: Pick<Heard, 'body'>): readonly string[] {
  const frames = body.split('\n\n').filter((frame) => frame !== '')
  return frames
    .filter((frame) => !frame.startsWith(':'))
    .map((frame) => {
      if (!frame.startsWith('data: ')) throw new Error(`Not an event: ${frame}`)
      return frame.slice('data: '.length)
    })
}

function read(incoming: IncomingMessage, pieces: Buffer[], watchers: ReadonlySet<() => void>): void {
  incoming.on('error', () => undefined)
  incoming.on('data', (piece: Buffer) => {
    pieces.push(piece)
    for (const watcher of watchers) watcher()
  })
}

function headersOf({ headers }: IncomingMessage): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))
}

function leave(outgoing: ClientRequest, how: Leaving): void {
  const { socket } = outgoing
  if (socket === null) outgoing.destroy()
  else if (how === 'RST') socket.resetAndDestroy()
  else socket.end(() => outgoing.destroy())
}
