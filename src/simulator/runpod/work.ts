import { Buffer } from 'node:buffer'
import { pause } from '../../core/attempt/pause.ts'
import type { Call } from '../../core/model/call.ts'
import type { JsonObject } from '../../core/model/json/json.ts'
import type { Finish, Piece, Script } from '../script/script.ts'
import { contentOf, type OpenAiFormat } from '../server/openai-answer.ts'
import { type ErrorForm, errorText } from './errors.ts'
import { vllmFormat } from './format.ts'
import type { Outcome, Work } from './jobs.ts'

/** Generations of the vLLM worker: `new` since 2.24, `old` up to 2.23, `oldest` before that. */
export const generations = ['new', 'old', 'oldest'] as const

export type Generation = (typeof generations)[number]

export type WorkParts = {
  readonly script: Script
  readonly call: Call
  readonly model: string
  readonly generation: Generation
  readonly errorForm: ErrorForm
  /** The number of bytes of an event stream in each piece of the new worker's output. */
  readonly fragmentBytes: number
}

/** Runs a script as a worker of this generation. */
export function workOn(parts: WorkParts): Work {
  return async (signal, yields) => {
    const writer = parts.generation === 'new' ? eventsOf(parts, yields) : batchesOf(parts, yields)
    for (const step of parts.script) {
      switch (step.type) {
        case 'wait':
        case 'stall':
          writer.flush()
          await pause(step.type === 'wait' ? step.ms : Number.POSITIVE_INFINITY, signal)
          break
        case 'cut':
        case 'reset':
          // A job has no connection, so its worker disappears instead.
          writer.flush()
          return { status: 'FAILED', error: 'job timed out after 1 retries' }
        case 'garble':
          return { status: 'COMPLETED', output: step.body }
        case 'refuse':
          return { status: 'FAILED', error: errorText(parts.errorForm, step) }
        case 'text':
        case 'reasoning':
        case 'tool':
          writer.write(step)
          break
        case 'finish':
          return writer.end(step)
      }
    }
    return { status: 'TIMED_OUT' }
  }
}

/** Writes output: piece by piece if the request streams, otherwise at the end. */
interface Writer {
  write(piece: Piece): void
  flush(): void
  end(finish: Finish): Outcome
}

/**
 * Writes the text of an event stream in pieces of fixed byte length. Each piece is decoded separately, so a character
 * that is split between two pieces is lost.
 */
function eventsOf(
  { script, call, model, fragmentBytes }: WorkParts,
  yields: (piece: unknown) => void,
): Writer {
  const format = vllmFormat(call, model)
  const fragments: string[] = []
  let held = Buffer.from(call.stream ? eventText(format.opening) : '')
  const put = (least: number) => {
    while (held.length >= least && held.length > 0) {
      const fragment = new TextDecoder().decode(held.subarray(0, fragmentBytes))
      held = held.subarray(fragmentBytes)
      fragments.push(fragment)
      yields(fragment)
    }
  }
  const add = (text: string) => {
    held = Buffer.concat([held, Buffer.from(text)])
    put(fragmentBytes)
  }
  return {
    write: (piece) => call.stream && add(eventText(format.chunks(piece, undefined))),
    flush: () => put(1),
    end(finish) {
      if (!call.stream) return { status: 'COMPLETED', output: [wholeOf(format, script, finish)] }
      add(`${eventText(format.chunks(finish, undefined))}data: [DONE]\n\n`)
      put(1)
      return { status: 'COMPLETED', output: fragments }
    },
  }
}

function wholeOf(format: OpenAiFormat, script: Script, finish: Finish): unknown {
  return JSON.parse(format.reply(contentOf(script), finish))
}

function eventText(chunks: readonly JsonObject[]): string {
  return chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join('')
}

/** The number of tokens in each batch of the old worker. The last number repeats. */
const batchSizes = [1, 3, 9, 27, 50] as const
const largestBatch = 50

function batchesOf({ script, call, generation }: WorkParts, yields: (piece: unknown) => void): Writer {
  const promptTokens = script.find((step) => step.type === 'finish')?.reported?.promptTokens
  const batches: object[] = []
  let held: string[] = []
  let sent = 0
  const put = () => {
    if (held.length === 0) return
    sent += held.length
    const batch = batchOf(generation, held, { input: promptTokens, output: sent })
    held = []
    batches.push(batch)
    if (call.stream) yields(batch)
  }
  return {
    write(piece) {
      if (piece.type !== 'text') return
      held.push(piece.text)
      if (call.stream && held.length >= (batchSizes[batches.length] ?? largestBatch)) put()
    },
    flush: () => call.stream && put(),
    end() {
      put()
      const isEmpty = batches.length === 0
      const output = isEmpty ? [batchOf(generation, [''], { input: promptTokens, output: 0 })] : batches
      return { status: 'COMPLETED', output }
    },
  }
}

/** A batch. Counts are left out if they are not reported. */
function batchOf(
  generation: Generation,
  pieces: readonly string[],
  { input, output }: { readonly input: number | undefined; readonly output: number },
): object {
  const tokens = [pieces.join('')]
  if (generation === 'oldest') {
    return { text: tokens, ...(input !== undefined && { input_tokens: input, output_tokens: output }) }
  }
  return { choices: [{ tokens }], ...(input !== undefined && { usage: { input, output } }) }
}
