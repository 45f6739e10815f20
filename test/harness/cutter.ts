import { type RawServer, startRawServer } from './raw-server.ts'

/** A server in front of another: it passes requests on, and cuts the answers. */
export type Cutter = RawServer & {
  /** The longest body of an answer so far. */
  readonly longest: number
}

/** What asks for an answer that is cut after so many bytes of its body. */
export function cutAfter(bytes: number): number {
  return base + bytes
}

/** A call with such a bound is answered whole. */
export const uncut = 1_999_999

/**
 * Cuts each answer where its request says so, by its bound on tokens (`cutAfter`). The body ends with the connection,
 * so that nothing but what it says tells that it is not whole. Each request is passed on once: the same bytes are cut
 * repeatedly.
 */
export async function startCutter(origin: string): Promise<Cutter> {
  const known = new Map<string, Promise<Answer>>()
  let longest = 0
  const server = await startRawServer(async (socket, { method, path, headers, body }) => {
    const bound = /"max_(?:new_|completion_)?tokens":(1\d{6})\b/.exec(body)?.[1]
    const key = `${method} ${path} ${body.replace(bound ?? '', '')}`
    const asked = known.get(key) ?? pass(`${origin}${path}`, method, headers, body)
    known.set(key, asked)
    const { head, bytes } = await asked
    longest = Math.max(longest, bytes.length)
    const most = bound === undefined ? bytes.length : Number(bound) - base
    socket.end(Buffer.concat([Buffer.from(head), bytes.subarray(0, most)]))
  })
  return Object.defineProperty(server as Cutter, 'longest', { get: () => longest })
}

const base = 1_000_000

type Answer = { readonly head: string; readonly bytes: Buffer }

async function pass(
  url: string,
  method: string,
  headers: Readonly<Record<string, string>>,
  body: string,
): Promise<Answer> {
  const kept = ['authorization', 'content-type', 'accept'].flatMap((name) =>
    headers[name] === undefined ? [] : [[name, headers[name]] as const],
  )
  const answer = await fetch(url, {
    method,
    headers: Object.fromEntries(kept),
    body: body === '' ? null : body,
  })
  const bytes = Buffer.from(await answer.arrayBuffer())
  const type = answer.headers.get('content-type') ?? 'application/json'
  return { head: `HTTP/1.1 ${answer.status} OK\r\ncontent-type: ${type}\r\nconnection: close\r\n\r\n`, bytes }
}
