import { fieldsForPrompt } from '../../core/adapt/prompt-fields.ts'
import { type Family, familyOf, flatten } from '../../core/adapt/template.ts'
import type { Call } from '../../core/model/call.ts'
import { Failure } from '../../core/model/failure.ts'
import type { JsonObject } from '../../core/model/json/json.ts'
import { JsonText } from '../../core/model/json/json-text.ts'
import type { Attempt, Detokenizer } from '../../core/model/ports.ts'
import type { Kind } from '../../core/model/terms.ts'

/** One request to a prompt-only upstream, and what has to be known of it to read the answer. */
export type PandotateRequest = {
  readonly body: JsonText
  readonly kind: Kind
  readonly model: string
  /** Where the answer ends, if not before. */
  readonly stop: readonly string[]
  readonly maxTokens: number | undefined
  readonly hasPrompt: boolean
  /** What stands before the answer when the caller asked for an echo. */
  readonly echo: string
  /** The template leaves it to the model to begin its answer with a space. */
  readonly beginsWithSpace: boolean
}

export type RequestParts = {
  readonly provider: string
  readonly promptFormat: Family | 'auto'
  readonly bos: boolean
  readonly detokenizer: Detokenizer
}

/**
 * The request for a call, its text the caller's own where nothing has to change. Notes what is dropped and
 * converted. At once, but for a prompt of token ids. Throws, or rejects with, `unsupported` or `invalid_request`.
 */
export function pandotateRequest(
  call: Call,
  attempt: Attempt,
  parts: RequestParts,
): PandotateRequest | Promise<PandotateRequest> {
  const fields = fieldsForPrompt(call.body.value, parts.provider)
  attempt.notes.dropped.push(...fields.dropped)
  if (call.kind === 'chat') return chatRequest(call, attempt, fields.kept, parts)
  const { prompt } = call.body.value
  if (typeof prompt === 'string') return textRequest(call, attempt, fields, prompt)
  return promptOf(prompt, attempt, parts.detokenizer).then((text) => textRequest(call, attempt, fields, text))
}

function textRequest(
  call: Call,
  attempt: Attempt,
  { kept, isWhole }: ReturnType<typeof fieldsForPrompt>,
  prompt: string,
): PandotateRequest {
  const edits: JsonObject = {}
  if (call.body.value['model'] !== attempt.upstreamModel) edits['model'] = attempt.upstreamModel
  if (call.body.value['prompt'] !== prompt) edits['prompt'] = prompt
  return {
    body: isWhole ? call.body.with(edits) : JsonText.of({ ...kept, ...edits }),
    kind: 'text',
    model: attempt.upstreamModel,
    stop: stopsOf(call.body.value['stop']),
    maxTokens: countOf(call.body.value['max_tokens']),
    hasPrompt: prompt !== '',
    echo: call.body.value['echo'] === true ? prompt : '',
    beginsWithSpace: false,
  }
}

function chatRequest(
  call: Call,
  attempt: Attempt,
  fields: JsonObject,
  parts: RequestParts,
): PandotateRequest {
  const { notes, upstreamModel: model } = attempt
  const family = parts.promptFormat === 'auto' ? familyOf(model) : parts.promptFormat
  const { messages, max_completion_tokens: newer, max_tokens: older, stop: _stop, ...kept } = fields
  const { prompt, stop: ends } = flatten(messages, { family, bos: parts.bos })
  notes.converted.push(`messages to prompt (${family})`)
  if (countOf(newer) !== undefined) notes.converted.push('max_completion_tokens to max_tokens')
  const maxTokens = newer ?? older
  const stop = [...new Set([...stopsOf(call.body.value['stop']), ...ends])]
  const body: JsonObject = { ...kept, model, prompt }
  if (maxTokens !== undefined && maxTokens !== null) body['max_tokens'] = maxTokens
  if (stop.length > 0) body['stop'] = stop
  return {
    body: JsonText.of(body),
    kind: 'chat',
    model,
    stop,
    maxTokens: countOf(maxTokens),
    hasPrompt: prompt !== '',
    echo: '',
    // A message that is continued goes on exactly where it stopped.
    beginsWithSpace: spaceFamilies.has(family) && !endsInAnswer(messages),
  }
}

/** Their tokenizers put a space before the first word. */
const spaceFamilies: ReadonlySet<Family> = new Set<Family>(['mistral', 'mistral-v3', 'llama2'])

function endsInAnswer(messages: unknown): boolean {
  const last: unknown = Array.isArray(messages) ? messages.at(-1) : undefined
  return typeof last === 'object' && last !== null && 'role' in last && last.role === 'assistant'
}

/** A prompt as text. Throws `invalid_request` for what is no single prompt. */
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

/** The strings of `stop`, which may be one alone. */
export function stopsOf(stop: unknown): readonly string[] {
  const stops: readonly unknown[] = Array.isArray(stop) ? stop : [stop]
  return stops.filter((text): text is string => typeof text === 'string' && text !== '')
}

function countOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined
}
