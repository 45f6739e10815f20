import { once } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import { pause } from '../../core/attempt/pause.ts'
import type { JsonObject } from '../../core/model/json/json.ts'
import type { Counts, Finish, Piece, Refusal, Script, Step } from '../script/script.ts'
import { raggedText, sendInBytes } from './ragged-stream.ts'
import type { Visit } from './simulated-server.ts'

/** How one server writes a script in its variant of OpenAI's format. */
export type OpenAiFormat = {
  readonly stream: boolean
  /** How many choices were requested; they are equal, and each is counted. */
  readonly choices: number
  /** The beginning of a stream, before the first piece. */
  readonly opening: readonly JsonObject[]
  /** The events of a stream for one step; `next` is the following step. Called once per step, in order. */
  chunks(step: Piece | Finish, next: Step | undefined): readonly JsonObject[]
  /** The text of a whole reply. */
  reply(said: Said, finish: Finish): string
  refusal(step: Refusal): Refused
  /** The events of a broken answer; undefined: the connection breaks instead. */
  readonly breakage?: readonly JsonObject[] | undefined
  /** Whether `[DONE]` ends a stream. */
  readonly done: boolean
}

/** The contents of a script, with its tool call. */
export type Said = {
  readonly text: string
  readonly reasoning: string
  readonly call: { readonly id: string; readonly name: string; readonly arguments: string } | undefined
}

/** An answer that is an error. */
export type Refused = {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/**
 * Plays a script on a socket, as JSON or as server-sent events, with the headers already set on the response. Resolves
 * with the true counts of the generated text, up to the point where the connection broke or the client left; undefined
 * if there is none. It does so before the client can have read the answer's end.
 */
export async function playOpenAi(
  script: Script,
  visit: Visit,
  format: OpenAiFormat,
): Promise<Counts | undefined> {
  const play: Play = { script, visit, format, generated: 0 }
  try {
    await perform(play, format.stream ? openStream(play) : openReply(play))
  } catch (thrown) {
    if (!visit.signal.aborted) throw thrown
  }
  return countsOf(play)
}

/** Sends a refusal unchanged. */
export function sendRefused({ response }: Visit, { status, headers, body }: Refused): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body)
}

/** The whole content of a script. */
export function saidIn(script: Script): Said {
  let text = ''
  let reasoning = ''
  let call: Said['call']
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

type Play = {
  readonly script: Script
  readonly visit: Visit
  readonly format: OpenAiFormat
  /** The pieces so far; `whole` when there are no more. */
  generated: number
}

function countsOf({ script, format, generated }: Play): Counts | undefined {
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

/** Also for an answer without pieces. */
const whole = Number.POSITIVE_INFINITY

/** An answer being sent. */
interface Telling {
  say(piece: Piece, next: Step | undefined): void
  /**
   * Sends what was gathered, if that is not left to the end; resolves when more is taken, rejects when the client has
   * left.
   */
  flush(): Promise<void>
  /** Sends the visible part of an answer that goes no further; resolves when the socket has taken it. */
  halt(): Promise<void>
  end(finish: Finish): void | Promise<void>
}

async function perform(play: Play, telling: Telling): Promise<void> {
  const { script, visit, format } = play
  for (const [at, step] of script.entries()) {
    switch (step.type) {
      case 'wait':
        await telling.flush()
        await pause(step.ms, visit.signal)
        break
      case 'stall':
        if (play.generated > 0) await telling.halt()
        await pause(Number.POSITIVE_INFINITY, visit.signal)
        break
      case 'cut':
        await breakOff(play, telling)
        return
      case 'reset':
        visit.broken = true
        visit.response.socket?.resetAndDestroy()
        return
      case 'refuse':
        sendRefused(visit, format.refusal(step))
        return
      case 'garble':
        visit.response.writeHead(200, { 'content-type': step.contentType }).end(step.body)
        return
      case 'text':
      case 'reasoning':
      case 'tool':
        telling.say(step, script[at + 1])
        play.generated++
        if (play.generated % mostInOneBurst !== 0) break
        await telling.flush()
        await setImmediate()
        visit.signal.throwIfAborted()
        break
      case 'finish':
        await telling.end(step)
        play.generated = whole
        return
    }
  }
}

/** Between bursts other requests run, and a client that left is noticed. */
const mostInOneBurst = 32

async function breakOff({ visit, format }: Play, telling: Telling): Promise<void> {
  await telling.halt()
  if (format.stream && format.breakage !== undefined) {
    visit.response.end(eventsOf(format.breakage))
    return
  }
  visit.broken = true
  visit.response.destroy()
}

function openStream({ script, visit: { response, signal }, format }: Play): Telling {
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
    say(piece, next) {
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
      const text = format.done ? `${events}data: [DONE]\n\n` : events
      if (isRagged) return sendInBytes(response, raggedText(text, true), signal, true)
      response.end(text)
      return undefined
    },
  }
}

function eventsOf(chunks: readonly JsonObject[]): string {
  return chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join('')
}

/** Nothing of a whole reply is sent before its end; of a broken one, the first half. */
function openReply({ script, visit: { response }, format }: Play): Telling {
  const begin = (finish: Finish): string => {
    const text = format.reply(saidIn(script), finish)
    const length = Buffer.byteLength(text)
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': length })
    return text
  }
  return {
    say: () => undefined,
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
