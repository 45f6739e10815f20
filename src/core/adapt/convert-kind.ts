import type { Call, RawDelta } from '../model/call.ts'
import { Failure } from '../model/failure.ts'
import { isObject, type JsonObject } from '../model/json/json.ts'
import { JsonText } from '../model/json/json-text.ts'
import type { Upstream } from '../model/ports.ts'
import type { Kind } from '../model/terms.ts'
import { fieldsForPrompt, refusedInPrompt, unsupportedField } from './prompt-fields.ts'
import { type Family, familyOf, flatten } from './template.ts'

/**
 * A call converted to the other kind, for an upstream that serves only that one, and how to convert the answer back.
 */
export type KindConversion = {
  readonly call: Call
  /** Converts a piece of the answer to the requested kind. */
  readonly turned: (raw: RawDelta) => RawDelta
  /** What was converted, and what was dropped because it changes no answer; both are reported to the caller. */
  readonly converted: readonly string[]
  readonly dropped: readonly string[]
  /** The model begins with a space that belongs to the template, not to the answer. */
  readonly beginsWithSpace: boolean
}

/** Whether an upstream serves this kind of call. */
export function takesKind({ kinds }: Pick<Upstream, 'kinds'>, kind: Kind): boolean {
  return kinds === undefined || kinds.includes(kind)
}

/** A field that calls of the other kind cannot have; undefined if there is none. */
export function refusedInConversion({ kind, body: { value: body } }: Call): string | undefined {
  return kind === 'chat' ? refusedInPrompt(body) : refusedInChat(body)
}

/**
 * Converts a chat to one prompt by the template of the model's family; a final assistant message is continued. Throws
 * `unsupported` for what a prompt cannot express, `invalid_request` for invalid messages.
 */
export function chatToText(call: Call, model: string, provider: string): KindConversion {
  const {
    body: { value: body },
  } = call
  const { kept, dropped } = fieldsForPrompt(body, provider)
  const family = familyOf(model)
  const { messages, max_completion_tokens: newer, max_tokens: older, ...fields } = kept
  const { prompt, stop: ends } = flatten(messages, { family })
  const stop = [...new Set([...stopsOf(body), ...ends])]
  const text: JsonObject = { ...fields, ...sameInBoth(body), prompt }
  const most = newer ?? older
  if (most !== undefined) text['max_tokens'] = most
  if (stop.length > 0) text['stop'] = stop
  return {
    call: { ...call, kind: 'text', body: JsonText.of(text), continues: false },
    turned: (raw) => withChoices(raw, textAsMessage),
    converted: [`messages to prompt (${family})`],
    dropped,
    // A continued message continues exactly where it stopped.
    beginsWithSpace: spaceFamilies.has(family) && call.continues !== true && !endsInAnswer(messages),
  }
}

/** Converts a prompt to a user message. Throws `unsupported` for what a chat cannot express. */
export function textToChat(call: Call, provider: string): KindConversion {
  const {
    body: { value: body },
  } = call
  const refused = refusedInChat(body)
  if (refused !== undefined) throw unsupportedField(refused, provider)
  const { prompt, ...rest } = body
  if (typeof prompt !== 'string') {
    const message = `Unsupported parameter: 'prompt' must be a string for ${provider}, which has only chats.`
    throw new Failure('unsupported', message, { param: 'prompt', provider })
  }
  const fields = Object.entries(rest).filter(([field]) => !textFields.has(field))
  const chat = { ...Object.fromEntries(fields), messages: [{ role: 'user', content: prompt }] }
  return {
    call: { ...call, kind: 'chat', body: JsonText.of(chat) },
    turned: (raw) => withChoices(raw, messageAsText),
    converted: ['prompt to messages'],
    dropped: [],
    beginsWithSpace: false,
  }
}

/** The stop strings of a call: one, or a list. */
export function stopsOf({ stop }: JsonObject): readonly string[] {
  const stops: readonly unknown[] = Array.isArray(stop) ? stop : [stop]
  return stops.filter((text): text is string => typeof text === 'string' && text !== '')
}

/** Their tokenizers put a space before the first word. */
const spaceFamilies: ReadonlySet<Family> = new Set<Family>(['mistral', 'mistral-v3', 'llama2'])

function endsInAnswer(messages: unknown): boolean {
  const last: unknown = Array.isArray(messages) ? messages.at(-1) : undefined
  return isObject(last) && last['role'] === 'assistant'
}

/** Fields that mean the same for text and chat, though a prompt-only upstream lacks them. */
function sameInBoth(body: JsonObject): JsonObject {
  const same = Object.entries(body).filter(([field]) => bothFields.has(field))
  return Object.fromEntries(same)
}

const bothFields: ReadonlySet<string> = new Set(['n', 'stream', 'stream_options'])

/** Fields that only text calls have: emulated, or not sent to the upstream. */
const textFields: ReadonlySet<string> = new Set(['suffix', 'echo', 'logprobs', 'best_of'])

function refusedInChat(body: JsonObject): string | undefined {
  if ((body['suffix'] ?? '') !== '') return 'suffix'
  return (body['logprobs'] ?? false) === false ? undefined : 'logprobs'
}

/** The chunk with other choices. Its wire text has the other kind, and is dropped. */
function withChoices(raw: RawDelta, turn: (choice: JsonObject) => JsonObject): RawDelta {
  const { value: chunk } = raw
  const { choices } = chunk
  if (!Array.isArray(choices)) return raw
  const turned = choices.map((choice: unknown) => (isObject(choice) ? turn(choice) : choice))
  return JsonText.of({ ...chunk, choices: turned })
}

function textAsMessage({ text, delta: _delta, logprobs: _logprobs, ...choice }: JsonObject): JsonObject {
  return { ...choice, delta: { content: text ?? '' }, logprobs: null }
}

/** Reasoning is not part of a text; a refusal is. */
function messageAsText({
  delta,
  message,
  text: _text,
  logprobs: _logprobs,
  ...choice
}: JsonObject): JsonObject {
  const words = isObject(delta) ? delta : isObject(message) ? message : {}
  return { ...choice, text: words['content'] ?? words['refusal'] ?? '', logprobs: null }
}
