import { fieldsForPrompt } from '../../core/adapt/prompt-fields.ts'
import { type Family, familyOf, flatten } from '../../core/adapt/template.ts'
import type { Call } from '../../core/model/call.ts'
import { Failure } from '../../core/model/failure.ts'
import type { JsonObject } from '../../core/model/json/json.ts'
import type { Attempt, Detokenizer } from '../../core/model/ports.ts'
import type { Kind } from '../../core/model/terms.ts'

/** A call as one prompt, with the data for reading the answer. */
export type PromptRequest = {
  readonly kind: Kind
  readonly model: string
  readonly prompt: string
  /** The caller's other fields, under OpenAI's names. For a chat they include `max_tokens` and `stop`. */
  readonly fields: JsonObject
  /** True if `fields` are all of the caller's fields: none was dropped or is emulated. */
  readonly isWhole: boolean
  /** The stop strings. */
  readonly stop: readonly string[]
  readonly maxTokens: number | undefined
  /** The prompt, if the caller asked for an echo; otherwise ''. */
  readonly echo: string
  /** The model begins its answer with a space, which is removed. */
  readonly beginsWithSpace: boolean
}

export type PromptParts = {
  readonly provider: string
  readonly promptFormat: Family | 'auto'
  readonly bos: boolean
  readonly detokenizer: Detokenizer
}

/**
 * The request for a call. Dropped and converted fields are noted. Synchronous, except for a prompt of token ids.
 * Throws, or rejects with, `unsupported` or `invalid_request`.
 */
export function promptRequest(
  call: Call,
  attempt: Attempt,
  parts: PromptParts,
): PromptRequest | Promise<PromptRequest> {
  const fields = fieldsForPrompt(call.body.value, parts.provider)
  attempt.notes.dropped.push(...fields.dropped)
  if (call.kind === 'chat') return chatRequest(attempt, fields.kept, parts)
  const { prompt } = call.body.value
  if (typeof prompt === 'string') return textRequest(call, attempt, fields, prompt)
  return promptOf(prompt, attempt, parts.detokenizer).then((text) => textRequest(call, attempt, fields, text))
}

function textRequest(
  call: Call,
  attempt: Attempt,
  { kept, isWhole }: ReturnType<typeof fieldsForPrompt>,
  prompt: string,
): PromptRequest {
  const { model: _model, prompt: _prompt, ...fields } = kept
  return {
    kind: 'text',
    model: attempt.upstreamModel,
    prompt,
    fields,
    isWhole,
    stop: stopsOf(call.body.value['stop']),
    maxTokens: countOf(call.body.value['max_tokens']),
    echo: call.body.value['echo'] === true ? prompt : '',
    beginsWithSpace: false,
  }
}

function chatRequest(attempt: Attempt, given: JsonObject, parts: PromptParts): PromptRequest {
  const { notes, upstreamModel: model } = attempt
  const family = parts.promptFormat === 'auto' ? familyOf(model) : parts.promptFormat
  const {
    model: _model,
    messages,
    max_completion_tokens: newer,
    max_tokens: older,
    stop: asked,
    ...fields
  } = given
  const { prompt, stop: ends } = flatten(messages, { family, bos: parts.bos })
  notes.converted.push(`messages to prompt (${family})`)
  if (countOf(newer) !== undefined) notes.converted.push('max_completion_tokens to max_tokens')
  const maxTokens = newer ?? older
  const stop = [...new Set([...stopsOf(asked), ...ends])]
  if (maxTokens !== undefined && maxTokens !== null) fields['max_tokens'] = maxTokens
  if (stop.length > 0) fields['stop'] = stop
  return {
    kind: 'chat',
    model,
    prompt,
    fields,
    isWhole: false,
    stop,
    maxTokens: countOf(maxTokens),
    echo: '',
    // A prefill continues exactly where it stopped.
    beginsWithSpace: spaceFamilies.has(family) && !endsInAnswer(messages),
  }
}

/** The tokenizers of these families put a space before the first word. */
const spaceFamilies: ReadonlySet<Family> = new Set<Family>(['mistral', 'mistral-v3', 'llama2'])

function endsInAnswer(messages: unknown): boolean {
  const last: unknown = Array.isArray(messages) ? messages.at(-1) : undefined
  return typeof last === 'object' && last !== null && 'role' in last && last.role === 'assistant'
}

/** A prompt as text. Rejects with `invalid_request` for anything but a single prompt. */
export async function promptOf(
  prompt: unknown,
  { notes }: Pick<Attempt, 'notes'>,
  detokenizer: Detokenizer,
): Promise<string> {
  if (typeof prompt === 'string') return prompt
  if (!Array.isArray(prompt) || !prompt.every((token): token is number => typeof token === 'number')) {
    throw new Failure('invalid_request', 'prompt must be a string or an array of token ids.', {
      param: 'prompt',
    })
  }
  notes.converted.push('token ids to text (cl100k_base)')
  return await detokenizer.decode(prompt)
}

/** The stop strings: one, or a list. */
export function stopsOf(stop: unknown): readonly string[] {
  const stops: readonly unknown[] = Array.isArray(stop) ? stop : [stop]
  return stops.filter((text): text is string => typeof text === 'string' && text !== '')
}

function countOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined
}
