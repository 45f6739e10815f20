import { once } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import { pause } from '../../core/attempt/pause.ts'
import type { Counts, Refusal, Script } from '../script/script.ts'
import { type OpenAiFormat, type Refused, sendRefused } from '../server/openai-answer.ts'
import type { Visit } from '../server/simulated-server.ts'

/** The JSON in which `predict` returns its text, by the part of the model's name before the slash. */
export function predictFormat(model: string, refusal: (step: Refusal) => Refused): OpenAiFormat {
  const wrap = wraps.get(model.slice(0, model.indexOf('/'))) ?? ((text: string) => ({ output: text }))
  return {
    ...{ stream: false, choices: 1, opening: [], chunks: () => [], done: false, refusal },
    reply: ({ text }, { extra }) => {
      const value = wrap(text)
      return JSON.stringify(
        typeof value === 'object' && !Array.isArray(value) ? { ...value, ...extra } : value,
      )
    },
  }
}

/**
 * Plays a script as a generator's bare text, piece by piece, without a finish reason. Resolves with the counts of the
 * generated text; undefined if there is none.
 */
export async function playRawText(
  script: Script,
  visit: Visit,
  refusal: (step: Refusal) => Refused,
): Promise<Counts | undefined> {
  const telling: Telling = { visit, refusal, generated: 0 }
  try {
    for (const step of script) {
      if (await tell(step, telling)) break
    }
  } catch (thrown) {
    if (!visit.signal.aborted) throw thrown
  }
  const finish = script.find((step) => step.type === 'finish')
  if (finish === undefined || telling.generated === 0) return undefined
  const { promptTokens } = finish.counts
  return { promptTokens, completionTokens: telling.generated, totalTokens: promptTokens + telling.generated }
}

const wraps: ReadonlyMap<string, (text: string) => unknown> = new Map<string, (text: string) => unknown>([
  ['text', (text) => text],
  ['generated', (text) => [{ generated_text: text }]],
])

type Telling = {
  readonly visit: Visit
  readonly refusal: (step: Refusal) => Refused
  generated: number
}

/** True if nothing follows. */
async function tell(step: Script[number], telling: Telling): Promise<boolean> {
  const { visit, refusal } = telling
  const { response, signal } = visit
  switch (step.type) {
    case 'wait':
    case 'stall':
      await pause(step.type === 'wait' ? step.ms : Number.POSITIVE_INFINITY, signal)
      return false
    case 'cut':
      await new Promise<void>((resolve) => begun(visit).write('', () => resolve()))
      visit.broken = true
      response.destroy()
      return true
    case 'reset':
      visit.broken = true
      response.socket?.resetAndDestroy()
      return true
    case 'refuse':
      sendRefused(visit, refusal(step))
      return true
    case 'garble':
      response.writeHead(200, { 'content-type': step.contentType }).end(step.body)
      return true
    case 'text':
    case 'reasoning':
      telling.generated++
      if (!begun(visit).write(step.text)) await once(response, 'drain', { signal })
      if (telling.generated % mostInOneBurst === 0) await setImmediate()
      signal.throwIfAborted()
      return false
    case 'tool':
      // A text generator calls no tools: its scripts have none.
      return false
    case 'finish':
      begun(visit).end()
      return true
  }
}

/** Other requests run between bursts. */
const mostInOneBurst = 32

function begun({ response }: Visit) {
  if (!response.headersSent) {
    response.writeHead(200, { 'content-type': 'application/octet-stream' })
    response.flushHeaders()
  }
  return response
}
