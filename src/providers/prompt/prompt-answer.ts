import type { RawDelta } from '../../core/model/call.ts'
import { Failure } from '../../core/model/failure.ts'
import { isObject, type JsonObject, spell } from '../../core/model/json/json.ts'
import { JsonText } from '../../core/model/json/json-text.ts'
import type { RequestContext } from '../http-error/http-error.ts'
import { reportedFailure } from '../http-error/openai-error.ts'
import { parseAnswer } from '../wire/wire-answer.ts'
import type { PromptRequest } from './prompt-request.ts'

/** The contents of an answer from an upstream that takes one prompt. */
export type PromptAnswer = {
  /** The output text. Any value but a string means that there is none. */
  readonly text: unknown
  /**
   * The finish reason. Undefined in an event: more follows. Undefined in a whole answer: derived from its length and
   * stop strings.
   */
  readonly finish?: string | undefined
  readonly promptTokens?: unknown
  readonly completionTokens?: unknown
  /** Further fields of its usage. */
  readonly usageDetails?: JsonObject | undefined
  /** The model that the upstream reports. */
  readonly model?: unknown
  /** Further fields of the reply, beside `choices`. */
  readonly extra?: JsonObject | undefined
}

/** Reads a whole answer. Throws a Failure for anything else, and for a reported error. */
export function readReply(
  text: string,
  request: PromptRequest,
  read: (answer: JsonObject) => PromptAnswer,
  asked: () => RequestContext,
): RawDelta {
  const answer = parseAnswer(text)
  if (!isObject(answer)) throw unreadable('The upstream did not answer in JSON.', asked)
  const { error } = answer
  if (error !== undefined && error !== null) {
    const told = isObject(error) ? error : { message: spell(error) }
    throw reportedFailure(told, asked())
  }
  const said = read(answer)
  if (typeof said.text !== 'string') throw unreadable('The upstream sent an answer without output.', asked)
  return wholeAnswer(said, said.text, request)
}

function unreadable(message: string, asked: () => RequestContext): Failure {
  return new Failure('invalid_response', message, { provider: asked().provider })
}

/** A whole answer in OpenAI's shape. It is cut at the stop strings, because the server may not support them. */
function wholeAnswer(said: PromptAnswer, output: string, request: PromptRequest): RawDelta {
  const isChat = request.kind === 'chat'
  const usage = usageOf(said, request, output !== '')
  const { text, isCut } = beforeStop(trimmed(output, request), request.stop)
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

/** The delta of one event; `opening` is prepended to its text. */
export function nextDelta(said: PromptAnswer, opening: string, { kind }: PromptRequest): RawDelta {
  const words = opening + (typeof said.text === 'string' ? said.text : '')
  const { finish = null, promptTokens, completionTokens } = said
  const hasUsage = promptTokens !== undefined || completionTokens !== undefined
  const usage = { prompt_tokens: promptTokens, completion_tokens: completionTokens }
  const content = kind === 'chat' ? { delta: { content: words } } : { text: words }
  const choices = [{ index: 0, logprobs: null, ...content, finish_reason: finish }]
  return JsonText.of({ choices, ...(hasUsage ? { usage } : {}) })
}

function trimmed(output: string, { beginsWithSpace }: PromptRequest): string {
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

/** The reported usage. A count of 0 for text that is not empty is left out, so that the gateway counts the tokens. */
function usageOf(said: PromptAnswer, { prompt }: PromptRequest, hasOutput: boolean): JsonObject {
  const usage: JsonObject = {}
  if (isCounted(said.promptTokens, prompt !== '')) usage['prompt_tokens'] = said.promptTokens
  if (isCounted(said.completionTokens, hasOutput)) usage['completion_tokens'] = said.completionTokens
  return Object.keys(usage).length === 0 ? usage : { ...said.usageDetails, ...usage }
}

function isCounted(count: unknown, isAnything: boolean): boolean {
  if (count === undefined || count === null) return false
  return count !== 0 || !isAnything
}
