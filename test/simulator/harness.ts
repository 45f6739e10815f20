import { type IncomingHttpHeaders, request } from 'node:http'
import { setImmediate } from 'node:timers/promises'
import { type SimulatedPandotate, simulatePandotate } from '../../src/simulator/pandotate/pandotate.ts'

/** What came of one request. */
export type Outcome = {
  status: number
  headers: IncomingHttpHeaders
  body: string
  /** The error that ended it, when no answer did. */
  broken: string | undefined
}

/** One running request. */
export type Visit = {
  readonly outcome: Promise<Outcome>
  /** What has come so far. */
  seen(): Outcome
  leave(): void
}

/** A Pandotate on a free port. */
export function start(key?: string): Promise<SimulatedPandotate> {
  return simulatePandotate({ host: '127.0.0.1', port: 0, key })
}

/** Asks, and waits for what comes of it; never rejects. */
export function ask(
  pandotate: SimulatedPandotate,
  body: object | string,
  headers: Headers = {},
): Promise<Outcome> {
  return open(pandotate, body, headers).outcome
}

/** Asks, and leaves the rest to the test. */
export function open(pandotate: SimulatedPandotate, body: object | string, headers: Headers = {}): Visit {
  return visitOf(
    new URL(pandotate.url),
    typeof body === 'string' ? body : JSON.stringify(body),
    headers,
    'POST',
  )
}

type Headers = Readonly<Record<string, string | undefined>>

/** Asks anything of any address, on a connection of its own. */
export function visitOf(url: URL, body: string, headers: Headers, method: string): Visit {
  const told = Object.entries(headers).filter(([, value]) => value !== undefined)
  const asking = request(url, { method, headers: Object.fromEntries(told), agent: false })
  const seen: Outcome = { status: 0, headers: {}, body: '', broken: undefined }
  const { promise, resolve } = Promise.withResolvers<Outcome>()
  const fail = (error: NodeJS.ErrnoException) => resolve({ ...seen, broken: error.code })
  asking.on('error', fail)
  asking.on('response', (response) => {
    seen.status = response.statusCode ?? 0
    seen.headers = response.headers
    response.setEncoding('utf8')
    response.on('data', (text: string) => {
      seen.body += text
    })
    response.on('error', fail)
    response.on('end', () => resolve(seen))
  })
  asking.end(body)
  return { outcome: promise, seen: () => seen, leave: () => asking.destroy() }
}

/** Pandotate's JSON, as it stands on the wire. */
export function answer(model: string, output: string, tokens: number, completionTokens: number): string {
  return JSON.stringify({ model, output, tokens, completion_tokens: completionTokens })
}

/** Turns of the event loop until something is so; the test's own time limit ends a wait without success. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await setImmediate()
}

/** Long enough for anything already on its way over the loopback. */
export async function someTurns(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await setImmediate()
}
