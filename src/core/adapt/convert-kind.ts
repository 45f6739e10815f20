import type { Call, RawDelta } from '../model/call.ts'
import { Failure } from '../model/failure.ts'
import { isObject, type JsonObject } from '../model/json/json.ts'
import { JsonText } from '../model/json/json-text.ts'
import type { Upstream } from '../model/ports.ts'
import type { Kind } from '../model/terms.ts'
import { fieldsForPrompt, refusedInPrompt, unsupportedField } from './prompt-fields.ts'
import { type Family, familyOf, flatten } from './template.ts'

/** A call as one of the other kind, for an upstream that has only that, and the way back. */
export type Crossing = {
  readonly call: Call
  /** A piece of the answer, as one of the kind that was asked for. */
  readonly turned: (raw: RawDelta) => RawDelta
  /** What was translated, and what changes no answer and was left out: for the caller to be told. */
  readonly converted: readonly string[]
  readonly dropped: readonly string[]
  /** The template leaves it to the model to begin with a space, which is no part of what it says. */
  readonly beginsWithSpace: boolean
}

/** Whether an upstream has calls of this kind. */
export function takesKind({ kinds }: Pick<Upstream, 'kinds'>, kind: Kind): boolean {
  return kinds === undefined || kinds.includes(kind)
}

/** The field of a call that has no place in one of the other kind; undefined when there is none. */
export function refusedInCrossing({ kind, body: { value: body } }: Call): string | undefined {
  return kind === 'chat' ? refusedInPrompt(body) : refusedInChat(body)
}

/**
 * A chat as one prompt, by the template of the model's family; an assistant's last message is gone on with. Throws
 * `unsupported` for what a prompt cannot say, `invalid_request` for what is no message.
 */
export function chatToText(call: Call, model: string, provider: string): Crossing {
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
    turned: (raw) => withChoices(raw, textAsWords),
    converted: [`messages to prompt (${family})`],
    dropped,
    // A message that is gone on with goes on exactly where it stopped.
    beginsWithSpace: spaceFamilies.has(family) && call.continues !== true && !endsInAnswer(messages),
  }
}

/** A prompt as what a user says. Throws `unsupported` for what a chat has not. */
export function textToChat(call: Call, provider: string): Crossing {
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
    turned: (raw) => withChoices(raw, wordsAsText),
    converted: ['prompt to messages'],
    dropped: [],
    beginsWithSpace: false,
  }
}

/** The strings at which a call's answer is to end: one alone, or a list. */
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

/** What says the same of a text as of a chat, though a prompt does not hold it. */
function sameInBoth(body: JsonObject): JsonObject {
  const same = Object.entries(body).filter(([field]) => bothFields.has(field))
  return Object.fromEntries(same)
}

const bothFields: ReadonlySet<string> = new Set(['n', 'stream', 'stream_options'])

/** What only a text has: done elsewhere, or not asked for where it is here. */
const textFields: ReadonlySet<string> = new Set(['suffix', 'echo', 'logprobs', 'best_of'])

function refusedInChat(body: JsonObject): string | undefined {
  if ((body['suffix'] ?? '') !== '') return 'suffix'
  return (body['logprobs'] ?? false) === false ? undefined : 'logprobs'
}

/** The chunk with other choices. Its wire text is that of another kind, and goes no further. */
function withChoices(raw: RawDelta, turn: (choice: JsonObject) => JsonObject): RawDelta {
  const { value: chunk } = raw
  const { choices } = chunk
  if (!Array.isArray(choices)) return raw
  const turned = choices.map((choice: unknown) => (isObject(choice) ? turn(choice) : choice))
  return JsonText.of({ ...chunk, choices: turned })
}

function textAsWords({ text, delta: _delta, logprobs: _logprobs, ...choice }: JsonObject): JsonObject {
  return { ...choice, delta: { content: text ?? '' }, logprobs: null }
}

/** What a model thinks is no part of a text; that it refuses, is. */
function wordsAsText({
  delta,
  message,
  text: _text,
  logprobs: _logprobs,
  ...choice
}: JsonObject): JsonObject {
  const words = isObject(delta) ? delta : isObject(message) ? message : {}
  return { ...choice, text: words['content'] ?? words['refusal'] ?? '', logprobs: null }
}
