import { once } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import { pause } from '../../core/attempt/pause.ts'
import type { Counts, Refusal, Script } from '../script/script.ts'
import { type ErrorAnswer, type OpenAiFormat, sendError } from '../server/openai-answer.ts'
import type { Exchange } from '../server/simulated-server.ts'

/** The JSON format of `predict`'s output, selected by the part of the model's name before the slash. */
export function predictFormat(model: string, refusal: (step: Refusal) => ErrorAnswer): OpenAiFormat {
  const wrap = wraps.get(model.slice(0, model.indexOf('/'))) ?? ((text: string) => ({ output: text }))
  return {
    ...{ stream: false, choices: 1, opening: [], chunks: () => [], sendsDone: false, refusal },
    reply: ({ text }, { extra }) => {
      const value = wrap(text)
      return JSON.stringify(
        typeof value === 'object' && !Array.isArray(value) ? { ...value, ...extra } : value,
      )
    },
  }
}

/**
 * Plays a script as the raw text of a generator, without a finish reason. Resolves with the counts of the generated
 * text; undefined if there is none.
 */
export async function playRawText(
  script: Script,
  exchange: Exchange,
  refusal: (step: Refusal) => ErrorAnswer,
): Promise<Counts | undefined> {
  const state: PlayState = { exchange, refusal, generated: 0 }
  try {
    for (const step of script) {
      if (await playStep(step, state)) break
    }
  } catch (thrown) {
    if (!exchange.signal.aborted) throw thrown
  }
  const finish = script.find((step) => step.type === 'finish')
  if (finish === undefined || state.generated === 0) return undefined
  const { promptTokens } = finish.counts
  return { promptTokens, completionTokens: state.generated, totalTokens: promptTokens + state.generated }
}

const wraps: ReadonlyMap<string, (text: string) => unknown> = new Map<string, (text: string) => unknown>([
  ['text', (text) => text],
  ['generated', (text) => [{ generated_text: text }]],
])

type PlayState = {
  readonly exchange: Exchange
  readonly refusal: (step: Refusal) => ErrorAnswer
  generated: number
}

/** Plays one step. Returns true if it is the last. */
async function playStep(step: Script[number], telling: PlayState): Promise<boolean> {
  const { exchange, refusal } = telling
  const { response, signal } = exchange
  switch (step.type) {
    case 'wait':
    case 'stall':
      await pause(step.type === 'wait' ? step.ms : Number.POSITIVE_INFINITY, signal)
      return false
    case 'cut':
      await new Promise<void>((resolve) => begun(exchange).write('', () => resolve()))
      exchange.isClosedOnPurpose = true
      response.destroy()
      return true
    case 'reset':
      exchange.isClosedOnPurpose = true
      response.socket?.resetAndDestroy()
      return true
    case 'refuse':
      sendError(exchange, refusal(step))
      return true
    case 'garble':
      response.writeHead(200, { 'content-type': step.contentType }).end(step.body)
      return true
    case 'text':
    case 'reasoning':
      telling.generated++
      if (!begun(exchange).write(step.text)) await once(response, 'drain', { signal })
      if (telling.generated % mostInOneBurst === 0) await setImmediate()
      signal.throwIfAborted()
      return false
    case 'tool':
      // Scripts of a text generator contain no tool calls.
      return false
    case 'finish':
      begun(exchange).end()
      return true
  }
}

/** The event loop handles other requests between bursts. */
const mostInOneBurst = 32

function begun({ response }: Exchange) {
  if (!response.headersSent) {
    response.writeHead(200, { 'content-type': 'application/octet-stream' })
    response.flushHeaders()
  }
  return response
}
