import { once } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import { pause } from '../../core/attempt/pause.ts'
import type { JsonObject } from '../../core/model/json/json.ts'
import type { Counts, Finish, Piece, Refusal, Script, Step } from '../script/script.ts'
import { raggedText, sendInBytes } from './ragged-stream.ts'
import type { Exchange } from './simulated-server.ts'

/** Writes a script in one server's variant of OpenAI's format. */
export type OpenAiFormat = {
  readonly stream: boolean
  /** The number of requested choices. They are equal, and each is counted. */
  readonly choices: number
  /** The chunks of a stream before the first piece. */
  readonly opening: readonly JsonObject[]
  /** Returns the chunks of a stream for one step; `next` is the following step. Called once per step, in order. */
  chunks(step: Piece | Finish, next: Step | undefined): readonly JsonObject[]
  /** The text of a whole reply. */
  reply(content: Content, finish: Finish): string
  refusal(step: Refusal): ErrorAnswer
  /** The chunks that report an interruption; undefined: the connection is closed instead. */
  readonly errorEvents?: readonly JsonObject[] | undefined
  /** True if `[DONE]` ends a stream. */
  readonly sendsDone: boolean
}

/** The contents of a script, with its tool call. */
export type Content = {
  readonly text: string
  readonly reasoning: string
  readonly call: { readonly id: string; readonly name: string; readonly arguments: string } | undefined
}

/** An answer that is an error. */
export type ErrorAnswer = {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/**
 * Plays a script on a socket, as JSON or as server-sent events. Headers that are set on the response are sent too.
 * Resolves with the true counts of the generated text, up to the point where the connection was closed; undefined if
 * there is none. It resolves before the client can have read the end of the answer.
 */
export async function playOpenAi(
  script: Script,
  exchange: Exchange,
  format: OpenAiFormat,
): Promise<Counts | undefined> {
  const playback: Playback = { script, exchange, format, generated: 0 }
  try {
    await perform(playback, format.stream ? openStream(playback) : openReply(playback))
  } catch (thrown) {
    if (!exchange.signal.aborted) throw thrown
  }
  return countsOf(playback)
}

/** Sends an error answer. */
export function sendError({ response }: Exchange, { status, headers, body }: ErrorAnswer): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body)
}

/** Collects the whole content of a script. */
export function contentOf(script: Script): Content {
  let text = ''
  let reasoning = ''
  let call: Content['call']
  for (const step of script) {
    if (step.type === 'text') text += step.text
    else if (step.type === 'reasoning') reasoning += step.text
    else if (step.type === 'tool') {
      const begun = call ?? { id: '', name: '', arguments: '' }
      call = { ...begun, ...step.opens, arguments: begun.arguments + step.fragment }
    }
  }
  return { text, reasoning, call }
}

type Playback = {
  readonly script: Script
  readonly exchange: Exchange
  readonly format: OpenAiFormat
  /** The number of pieces so far; `whole` after the finish. */
  generated: number
}

function countsOf({ script, format, generated }: Playback): Counts | undefined {
  const finish = finishIn(script)
  if (finish === undefined || generated === 0) return undefined
  const { promptTokens } = finish.counts
  const completionTokens = generated === whole ? finish.counts.completionTokens : generated
  const all = completionTokens * format.choices
  return { promptTokens, completionTokens: all, totalTokens: promptTokens + all }
}

function finishIn(script: Script): Finish | undefined {
  return script.find((step) => step.type === 'finish')
}

/** Marks a complete answer, also one without pieces. */
const whole = Number.POSITIVE_INFINITY

/** Writes one answer. */
interface AnswerWriter {
  write(piece: Piece, next: Step | undefined): void
  /** Sends buffered pieces of a stream. Resolves when more can be written; rejects when the client has disconnected. */
  flush(): Promise<void>
  /** Sends the part of an answer that precedes an interruption. Resolves when the socket has accepted it. */
  halt(): Promise<void>
  end(finish: Finish): void | Promise<void>
}

async function perform(play: Playback, writer: AnswerWriter): Promise<void> {
  const { script, exchange, format } = play
  for (const [at, step] of script.entries()) {
    switch (step.type) {
      case 'wait':
        await writer.flush()
        await pause(step.ms, exchange.signal)
        break
      case 'stall':
        if (play.generated > 0) await writer.halt()
        await pause(Number.POSITIVE_INFINITY, exchange.signal)
        break
      case 'cut':
        await interrupt(play, writer)
        return
      case 'reset':
        exchange.isClosedOnPurpose = true
        exchange.response.socket?.resetAndDestroy()
        return
      case 'refuse':
        sendError(exchange, format.refusal(step))
        return
      case 'garble':
        exchange.response.writeHead(200, { 'content-type': step.contentType }).end(step.body)
        return
      case 'text':
      case 'reasoning':
      case 'tool':
        writer.write(step, script[at + 1])
        play.generated++
        if (play.generated % mostInOneBurst !== 0) break
        await writer.flush()
        await setImmediate()
        exchange.signal.throwIfAborted()
        break
      case 'finish':
        await writer.end(step)
        play.generated = whole
        return
    }
  }
}

/** Between bursts the event loop handles other requests and notices a client that has disconnected. */
const mostInOneBurst = 32

async function interrupt({ exchange, format }: Playback, telling: AnswerWriter): Promise<void> {
  await telling.halt()
  if (format.stream && format.errorEvents !== undefined) {
    exchange.response.end(eventsOf(format.errorEvents))
    return
  }
  exchange.isClosedOnPurpose = true
  exchange.response.destroy()
}

function openStream({ script, exchange: { response, signal }, format }: Playback): AnswerWriter {
  const isRagged = finishIn(script)?.isRagged === true
  let pending = ''
  const begin = () => {
    if (response.headersSent) return
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.flushHeaders()
    pending = eventsOf(format.opening)
  }
  const take = () => {
    begin()
    const text = pending
    pending = ''
    return text
  }
  return {
    write(piece, next) {
      begin()
      pending += eventsOf(format.chunks(piece, next))
    },
    async flush() {
      if (pending === '') return
      if (isRagged) return await sendInBytes(response, raggedText(take(), false), signal, false)
      if (!response.write(take())) await once(response, 'drain', { signal })
    },
    halt: () => new Promise((resolve) => response.write(take(), () => resolve())),
    end(finish) {
      const events = take() + eventsOf(format.chunks(finish, undefined))
      const text = format.sendsDone ? `${events}data: [DONE]\n\n` : events
      if (isRagged) return sendInBytes(response, raggedText(text, true), signal, true)
      response.end(text)
      return undefined
    },
  }
}

function eventsOf(chunks: readonly JsonObject[]): string {
  return chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join('')
}

/** Writes a whole reply at its end; of an interrupted one, the first half. */
function openReply({ script, exchange: { response }, format }: Playback): AnswerWriter {
  const begin = (finish: Finish): string => {
    const text = format.reply(contentOf(script), finish)
    const length = Buffer.byteLength(text)
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': length })
    return text
  }
  return {
    write: () => undefined,
    flush: async () => undefined,
    async halt() {
      const finish = finishIn(script)
      if (finish === undefined) return
      const text = begin(finish)
      await new Promise<void>((resolve) =>
        response.write(text.slice(0, Math.floor(text.length / 2)), () => resolve()),
      )
    },
    end(finish) {
      response.end(begin(finish))
    },
  }
}
