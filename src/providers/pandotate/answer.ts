import type { RawDelta } from '../../core/model/call.ts'
import { Failure } from '../../core/model/failure.ts'
import { isObject, type JsonObject, spell } from '../../core/model/json/json.ts'
import { JsonText } from '../../core/model/json/json-text.ts'
import { parseAnswer } from '../wire/answer-json.ts'
import type { PandotateRequest } from './request.ts'

/**
 * Pandotate's answer, `{"model", "output", "tokens", "completion_tokens", ...}`, as a whole reply in OpenAI's
 * shape. What it says beyond that stays, as further fields of the reply. Throws `invalid_response` for what is
 * no answer; a reported error is a reply with an object under `error`.
 */
export function readPandotateAnswer(text: string, request: PandotateRequest, provider: string): RawDelta {
  const answer = parseAnswer(text)
  if (!isObject(answer)) throw unreadable('The upstream did not answer in JSON.', provider)
  const { error } = answer
  if (error !== undefined && error !== null) {
    return JsonText.of({ error: isObject(error) ? error : { message: spell(error) } })
  }
  const { output } = answer
  if (typeof output !== 'string') throw unreadable('The upstream gave an answer without output.', provider)
  return JsonText.of(replyOf(answer, output, request))
}

function replyOf(answer: JsonObject, output: string, request: PandotateRequest): JsonObject {
  const { model, tokens, completion_tokens: told, usage: given, finish_reason: finish, ...rest } = answer
  // None of these can stand for something else in OpenAI's shape.
  const { output: _output, error: _error, object: _object, choices: _choices, ...extra } = rest
  const counts = countsOf(given, tokens, told)
  const usage = usageOf(counts, request, output !== '')
  const { text, isCut } = beforeStop(spoken(output, request), request.stop)
  const choice = {
    index: 0,
    ...(request.kind === 'chat'
      ? { message: { role: 'assistant', content: text } }
      : { text: request.echo + text }),
    logprobs: null,
    finish_reason: isCut ? 'stop' : finishOf(finish, usage['completion_tokens'], request.maxTokens),
  }
  return {
    ...extra,
    object: request.kind === 'chat' ? 'chat.completion' : 'text_completion',
    model: typeof model === 'string' ? model : request.model,
    choices: [choice],
    ...(Object.keys(usage).length === 0 ? {} : { usage }),
  }
}

function spoken(output: string, { beginsWithSpace }: PandotateRequest): string {
  return beginsWithSpace && output.startsWith(' ') ? output.slice(1) : output
}

/** An upstream may not know of stop strings, and then writes on. */
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

type Counts = { readonly prompt: unknown; readonly completion: unknown; readonly details: JsonObject }

/** `usage` where it has counts; otherwise the two beside the output. One of those alone could be a total. */
function countsOf(usage: unknown, tokens: unknown, completionTokens: unknown): Counts {
  if (isObject(usage)) {
    const { prompt_tokens: prompt, completion_tokens: completion, ...details } = usage
    if (typeof prompt === 'number' || typeof completion === 'number') return { prompt, completion, details }
  }
  const isPair = completionTokens !== undefined && completionTokens !== null
  return { prompt: isPair ? tokens : undefined, completion: completionTokens, details: {} }
}

/** A count of 0 for what is not empty was never counted: it is left out, and so counted by the gateway. */
function usageOf(counts: Counts, { hasPrompt }: PandotateRequest, hasOutput: boolean): JsonObject {
  const { prompt, completion, details } = counts
  const usage: JsonObject = {}
  if (isCounted(prompt, hasPrompt)) usage['prompt_tokens'] = prompt
  if (isCounted(completion, hasOutput)) usage['completion_tokens'] = completion
  return Object.keys(usage).length === 0 ? usage : { ...details, ...usage }
}

function isCounted(count: unknown, isAnything: boolean): boolean {
  if (count === undefined || count === null) return false
  return count !== 0 || !isAnything
}

function unreadable(message: string, provider: string): Failure {
  return new Failure('invalid_response', message, { provider })
}
