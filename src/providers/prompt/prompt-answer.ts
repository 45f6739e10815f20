import type { RawDelta } from '../../core/model/call.ts'
import { Failure } from '../../core/model/failure.ts'
import { isObject, type JsonObject, spell } from '../../core/model/json/json.ts'
import { JsonText } from '../../core/model/json/json-text.ts'
import type { Asked } from '../http-error/http-error.ts'
import { reportedFailure } from '../http-error/openai-error.ts'
import { parseAnswer } from '../wire/answer-json.ts'
import type { PromptRequest } from './prompt-request.ts'

/** What an answer of a prompt-only upstream says. */
export type Said = {
  /** A string; where it is none, there is no text in it. */
  readonly text: unknown
  /** Why the answer ends here. Of an event, undefined: it goes on; of a whole answer: it was cut, or is over. */
  readonly finish?: string | undefined
  readonly promptTokens?: unknown
  readonly completionTokens?: unknown
  /** What else its usage tells. */
  readonly usageDetails?: JsonObject | undefined
  /** Which model it names. */
  readonly model?: unknown
  /** Further fields, which travel on beside the choices. */
  readonly extra?: JsonObject | undefined
}

/** Reads an answer in one piece. Throws a Failure for what is none, and for an error that is reported in place of one. */
export function readReply(
  text: string,
  request: PromptRequest,
  read: (answer: JsonObject) => Said,
  asked: () => Asked,
): RawDelta {
  const answer = parseAnswer(text)
  if (!isObject(answer)) throw unreadable('The upstream did not answer in JSON.', asked)
  const { error } = answer
  if (error !== undefined && error !== null) {
    const told = isObject(error) ? error : { message: spell(error) }
    throw reportedFailure(told, asked())
  }
  const said = read(answer)
  if (typeof said.text !== 'string') throw unreadable('The upstream gave an answer without text.', asked)
  return wholeAnswer(said, said.text, request)
}

function unreadable(message: string, asked: () => Asked): Failure {
  return new Failure('invalid_response', message, { provider: asked().provider })
}

/** An answer in one piece, in OpenAI's shape: cut where it was to stop, for a server may not know of stop strings. */
function wholeAnswer(said: Said, output: string, request: PromptRequest): RawDelta {
  const isChat = request.kind === 'chat'
  const usage = usageOf(said, request, output !== '')
  const { text, isCut } = beforeStop(spoken(output, request), request.stop)
  const choice = {
    index: 0,
    ...(isChat ? { message: { role: 'assistant', content: text } } : { text: request.echo + text }),
    logprobs: null,
    finish_reason: isCut ? 'stop' : finishOf(said.finish, usage['completion_tokens'], request.maxTokens),
  }
  return JsonText.of({
    ...said.extra,
    object: isChat ? 'chat.completion' : 'text_completion',
    model: typeof said.model === 'string' ? said.model : request.model,
    choices: [choice],
    ...(Object.keys(usage).length === 0 ? {} : { usage }),
  })
}

/** One event of an answer that is streamed; `opening` stands before its text. */
export function nextDelta(said: Said, opening: string, { kind }: PromptRequest): RawDelta {
  const words = opening + (typeof said.text === 'string' ? said.text : '')
  const { finish = null, promptTokens, completionTokens } = said
  const isTold = promptTokens !== undefined || completionTokens !== undefined
  const usage = { prompt_tokens: promptTokens, completion_tokens: completionTokens }
  const content = kind === 'chat' ? { delta: { content: words } } : { text: words }
  const choices = [{ index: 0, logprobs: null, ...content, finish_reason: finish }]
  return JsonText.of({ choices, ...(isTold ? { usage } : {}) })
}

function spoken(output: string, { beginsWithSpace }: PromptRequest): string {
  return beginsWithSpace && output.startsWith(' ') ? output.slice(1) : output
}

function beforeStop(
  text: string,
  stop: readonly string[],
): { readonly text: string; readonly isCut: boolean } {
  let end = text.length
  let isCut = false
  for (const word of stop) {
    const at = text.indexOf(word)
    if (at === -1 || at >= end) continue
    end = at
    isCut = true
  }
  return { text: text.slice(0, end), isCut }
}

function finishOf(finish: unknown, completionTokens: unknown, maxTokens: number | undefined): string {
  if (typeof finish === 'string' && finish !== '') return finish
  const isFull =
    maxTokens !== undefined && typeof completionTokens === 'number' && completionTokens >= maxTokens
  return isFull ? 'length' : 'stop'
}

/** A count of 0 for what is not empty was never counted: it is left out, and so counted by the gateway. */
function usageOf(said: Said, { prompt }: PromptRequest, hasOutput: boolean): JsonObject {
  const usage: JsonObject = {}
  if (isCounted(said.promptTokens, prompt !== '')) usage['prompt_tokens'] = said.promptTokens
  if (isCounted(said.completionTokens, hasOutput)) usage['completion_tokens'] = said.completionTokens
  return Object.keys(usage).length === 0 ? usage : { ...said.usageDetails, ...usage }
}

function isCounted(count: unknown, isAnything: boolean): boolean {
  if (count === undefined || count === null) return false
  return count !== 0 || !isAnything
}
