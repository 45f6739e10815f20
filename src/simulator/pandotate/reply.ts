import type { ServerResponse } from 'node:http'
import { pause } from '../../core/attempt/pause.ts'
import type { Counts, Refusal, Script } from '../script/script.ts'

/** One response in progress. */
export type Line = {
  readonly response: ServerResponse
  /** Aborts when the client has left. */
  readonly signal: AbortSignal
  /** True once this side closed the connection on purpose. */
  broken: boolean
}

/**
 * Plays a script on a socket as Pandotate's JSON. The length is announced in the headers, so that a client can detect a
 * truncated answer. Resolves with the true counts of a whole answer, with undefined for anything else; rejects with the
 * signal's reason if the client leaves while it waits.
 */
export async function performReply(script: Script, model: string, line: Line): Promise<Counts | undefined> {
  const { response, signal } = line
  const body = openBody(script, model, response)
  for (const step of script) {
    switch (step.type) {
      case 'wait':
      case 'stall':
        body.flush()
        await pause(step.type === 'wait' ? step.ms : Number.POSITIVE_INFINITY, signal)
        break
      case 'cut':
        await body.drain()
        line.broken = true
        response.destroy()
        return undefined
      case 'reset':
        line.broken = true
        response.socket?.resetAndDestroy()
        return undefined
      case 'refuse':
        refuse(step, response)
        return undefined
      case 'garble':
        response.writeHead(200, { 'content-type': step.contentType }).end(step.body)
        return undefined
      case 'text':
        body.add(step.text)
        break
      case 'reasoning':
      case 'tool':
        // Pandotate answers only prompts: its scripts have no tools.
        break
      case 'finish':
        body.end()
        return step.counts
    }
  }
  return undefined
}

/** Pandotate's own refusal: a bare string under `error`. */
export function sendError(response: ServerResponse, status: number, error: string): void {
  if (status === 405) response.setHeader('allow', 'POST')
  sendJson(response, status, { error })
}

/** The JSON of one answer. Nothing of it is sent before its first word or its end. */
interface Body {
  add(text: string): void
  /** Sends what was added, if anything. */
  flush(): void
  /** Sends the headers and what was added, and resolves when the socket has taken it. */
  drain(): Promise<void>
  end(): void
}

function openBody(script: Script, model: string, response: ServerResponse): Body {
  const head = `{"model":${JSON.stringify(model)},"output":"`
  const tail = tailOf(script)
  let pending = ''
  const write = (more: string, send: (text: string) => void) => {
    const opening = response.headersSent ? '' : head
    if (!response.headersSent) {
      const bytes = Buffer.byteLength(head) + outputBytes(script) + Buffer.byteLength(tail)
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': bytes })
    }
    const text = opening + pending + more
    pending = ''
    send(text)
  }
  return {
    add(text) {
      pending += escaped(text)
    },
    flush() {
      if (pending !== '') write('', (text) => response.write(text))
    },
    drain: () => new Promise((resolve) => write('', (text) => response.write(text, () => resolve()))),
    end: () => write(tail, (text) => response.end(text)),
  }
}

function tailOf(script: Script): string {
  const finish = script.find((step) => step.type === 'finish')
  const { promptTokens, completionTokens } = finish?.told ?? {}
  const rest = { tokens: promptTokens, completion_tokens: completionTokens, ...finish?.extra }
  const fields = JSON.stringify(rest).slice(1)
  return fields === '}' ? '"}' : `",${fields}`
}

function outputBytes(script: Script): number {
  let bytes = 0
  for (const step of script) if (step.type === 'text') bytes += Buffer.byteLength(escaped(step.text))
  return bytes
}

/** The text inside the quotes of a JSON string. */
function escaped(text: string): string {
  return JSON.stringify(text).slice(1, -1)
}

function refuse({ status, error, retryAfterSeconds }: Refusal, response: ServerResponse): void {
  if (retryAfterSeconds !== undefined) response.setHeader('retry-after', retryAfterSeconds)
  sendJson(response, status, { error })
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
