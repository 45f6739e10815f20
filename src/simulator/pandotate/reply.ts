import type { ServerResponse } from 'node:http'
import { pause } from '../../core/attempt/pause.ts'
import type { Counts, Refusal, Script } from '../script/script.ts'

/** One response in progress. */
export type Reply = {
  readonly response: ServerResponse
  /** Aborts when the client has disconnected. */
  readonly signal: AbortSignal
  /** True if the script closed the connection. */
  isClosedOnPurpose: boolean
}

/**
 * Plays a script on a socket as Pandotate's JSON. The headers contain the length, so that a client can detect a
 * truncated answer. Resolves with the true counts of a whole answer, otherwise with undefined. Rejects with the
 * signal's reason if the client disconnects during a pause.
 */
export async function playReply(script: Script, model: string, reply: Reply): Promise<Counts | undefined> {
  const { response, signal } = reply
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
        reply.isClosedOnPurpose = true
        response.destroy()
        return undefined
      case 'reset':
        reply.isClosedOnPurpose = true
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
        // Pandotate's scripts contain neither reasoning nor tool calls.
        break
      case 'finish':
        body.end()
        return step.counts
    }
  }
  return undefined
}

/** Sends an error in Pandotate's form: a string under `error`. */
export function sendError(response: ServerResponse, status: number, error: string): void {
  if (status === 405) response.setHeader('allow', 'POST')
  sendJson(response, status, { error })
}

/** Writes the JSON of one answer. Nothing is sent before the first word or the end. */
interface Body {
  add(text: string): void
  /** Sends the added text, if there is any. */
  flush(): void
  /** Sends the headers and the added text, and resolves when the socket has accepted them. */
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
  const { promptTokens, completionTokens } = finish?.reported ?? {}
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
