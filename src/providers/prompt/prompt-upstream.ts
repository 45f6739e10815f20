import { fieldsForPrompt } from '../../core/adapt/prompt-fields.ts'
import { familyOf, flatten } from '../../core/adapt/template.ts'
import type { Call, RawDelta } from '../../core/model/call.ts'
import { Failure } from '../../core/model/failure.ts'
import { isObject, type JsonObject, spell } from '../../core/model/json/json.ts'
import { JsonText } from '../../core/model/json/json-text.ts'
import type { Attempt, AttemptNotes, Detokenizer, Upstream } from '../../core/model/ports.ts'
import { type Bounds, keySettingOf, oneChoiceOf, queueOf, retryOf } from '../base/common-settings.ts'
import type { ProviderTools } from '../base/provider.ts'
import { type Asked, readHttpError } from '../http-error/http-error.ts'
import { type ReadError, reportedFailure } from '../http-error/openai-error.ts'
import { Events, replyBytes } from '../openai/stream.ts'
import { promptOf, stopsOf } from '../pandotate/request.ts'
import { parseAnswer } from '../wire/answer-json.ts'
import { isEventStream } from '../wire/event-stream-type.ts'
import { createWire, requestHeaders } from '../wire/wire.ts'
import type { WireAnswer } from '../wire/wire-answer.ts'

export type PromptSettings = Bounds & {
  /** Where every call is posted. */
  readonly url: string
  readonly apiKey?: string | undefined
}

/** How an upstream speaks that takes one prompt, and answers with one text. */
export type PromptFormat = {
  /** The fields of OpenAI's that it has. Any other is dropped, and told. */
  readonly fields: readonly string[]
  /** Those that it has by another name: `max_tokens` as `n_predict`. */
  readonly renames?: Readonly<Record<string, string>>
  /** The body of a request; `fields` are those the caller gave, by its own names. */
  request(prompt: string, fields: JsonObject, stream: boolean): JsonObject
  /** What an answer says, or one event of an answer that is streamed. */
  read(answer: JsonObject): Said
}

export type Said = {
  /** A string; where it is none, there is no text in it. */
  readonly text: unknown
  /** Why the answer ends here; undefined in an event: it goes on. */
  readonly finish?: string | undefined
  readonly promptTokens?: unknown
  readonly completionTokens?: unknown
}

/**
 * An upstream with a format of its own: chats become prompts, what no prompt can say is refused before anything is
 * sent, and only our key goes with it. It may answer whole, or in server-sent events where that was asked for.
 */
export function createPromptUpstream(
  name: string,
  settings: PromptSettings,
  { clock, detokenizer, userAgent }: ProviderTools,
  format: PromptFormat,
): Upstream {
  const { apiKey, clocks, concurrency: connections, url } = settings
  const { origin, pathname, search } = new URL(url)
  const wire = createWire({ name, origin, connectMs: clocks.connectMs, connections, clock })
  const headers = requestHeaders(userAgent, apiKey === undefined ? undefined : `Bearer ${apiKey}`)
  const keySetting = keySettingOf(name)
  const known = { provider: name, keySetting, secrets: apiKey === undefined ? [] : [apiKey] }
  const key = apiKey === undefined ? 'none' : 'ours'

  async function ask(call: Call, attempt: Attempt): Promise<Answer> {
    const { prompt, fields } = await writtenFor(call, attempt, { name, detokenizer, format })
    const body = JSON.stringify(format.request(prompt, fields, call.stream))
    const answer = await wire.post(pathname + search, headers, body, attempt)
    const asked = {
      ...known,
      key,
      model: call.model,
      epochMs: clock.epochMs(),
      request: () => call.body.text,
      address: { url: origin + pathname, setting: `providers.${name}.url is the whole address of a call.` },
    } as const
    if (answer.status < 200 || answer.status >= 300) throw await readHttpError(answer, asked)
    const echo = call.kind === 'text' && call.body.value['echo'] === true ? prompt : ''
    return { answer, asked, call, echo, format, notes: attempt.notes }
  }

  return {
    name,
    clocks,
    retry: retryOf(settings),
    drains: settings.onAbort === 'drain',
    queue: queueOf(settings),
    oneChoice: oneChoiceOf(true),
    lacks: ['suffix', 'best_of', 'logprobs'],
    mostStops: format.fields.includes('stop') || 'stop' in (format.renames ?? {}) ? undefined : 0,
    knownModels: [],
    admits: () => true,
    keySetting,
    send(call, attempt) {
      return call.stream ? streamed(() => ask(call, attempt)) : ask(call, attempt).then(whole)
    },
    close: () => wire.close(),
  }
}

type Answer = {
  readonly answer: WireAnswer
  readonly asked: Asked
  readonly call: Call
  /** What stands before the answer. */
  readonly echo: string
  readonly format: PromptFormat
  readonly notes: AttemptNotes
}

type Parts = { readonly name: string; readonly detokenizer: Detokenizer; readonly format: PromptFormat }

/** The prompt and the fields of a request. What is dropped and converted is noted. */
async function writtenFor(
  { kind, body: { value: body } }: Call,
  attempt: Attempt,
  { name, detokenizer, format }: Parts,
) {
  const { notes, upstreamModel } = attempt
  const renames = Object.entries(format.renames ?? {})
  const { kept, dropped } = fieldsForPrompt(body, name)
  notes.dropped.push(...dropped)
  const { model: _model, prompt: given, messages, max_completion_tokens: most, ...others } = kept
  const family = familyOf(upstreamModel)
  const chat = kind === 'chat' ? flatten(messages, { family }) : undefined
  if (chat !== undefined) notes.converted.push(`messages to prompt (${family})`)
  const prompt = chat?.prompt ?? (await promptOf(given, attempt, detokenizer))
  const stop = [...new Set([...stopsOf(others['stop']), ...(chat?.stop ?? [])])]
  const asked = { ...others, max_tokens: most ?? others['max_tokens'], stop: stop.length > 0 ? stop : null }
  const names = new Map([...format.fields.map((field) => [field, field] as const), ...renames])
  const fields: JsonObject = {}
  for (const [field, value] of Object.entries(asked)) {
    if (value === undefined || value === null) continue
    const own = names.get(field)
    if (own === undefined) notes.dropped.push(field)
    else fields[own] = value
  }
  return { prompt, fields }
}

async function whole({ answer, asked, call, echo, format, notes }: Answer): Promise<readonly RawDelta[]> {
  const body = parseAnswer(await answer.text(replyBytes))
  const { provider } = asked
  if (!isObject(body)) {
    throw new Failure('invalid_response', 'The upstream did not answer in JSON.', { provider })
  }
  const { error } = body
  if (error !== undefined && error !== null) {
    const told = isObject(error) ? error : { message: spell(error) }
    throw (
      reportedFailure(told, asked) ??
      new Failure('upstream_error', 'The upstream reported an error.', { provider })
    )
  }
  const { text, finish = 'stop', ...counts } = format.read(body)
  if (typeof text !== 'string') {
    throw new Failure('invalid_response', 'The upstream gave an answer without text.', { provider })
  }
  notes.ending = 'value'
  const said =
    call.kind === 'chat' ? { message: { role: 'assistant', content: text } } : { text: echo + text }
  return [delta({ ...said, finish_reason: finish }, counts)]
}

async function* streamed(ask: () => Promise<Answer>): AsyncGenerator<readonly RawDelta[], void, void> {
  const asked = await ask()
  const { answer, call, echo, format, notes } = asked
  if (!isEventStream(answer, true)) {
    yield await whole(asked)
    return
  }
  const { provider } = asked.asked
  const readError: ReadError = (error) => reportedFailure(error, asked.asked)
  let opening = echo
  const told = (raw: RawDelta): RawDelta => {
    if ('error' in raw.value || raw.failure !== undefined) return raw
    const { text, finish = null, ...counts } = format.read(raw.value)
    const words = opening + (typeof text === 'string' ? text : '')
    opening = ''
    const said = call.kind === 'chat' ? { delta: { content: words } } : { text: words }
    return delta({ ...said, finish_reason: finish }, counts)
  }
  const events = {
    [Symbol.asyncIterator]: () => new Events(async () => answer, provider, { readError, notes }),
  }
  for await (const burst of events) yield burst.map(told)
}

function delta(choice: JsonObject, { promptTokens, completionTokens }: Omit<Said, 'text'>): RawDelta {
  const usage = { prompt_tokens: promptTokens, completion_tokens: completionTokens }
  const isTold = promptTokens !== undefined || completionTokens !== undefined
  const choices = [{ index: 0, logprobs: null, ...choice }]
  return JsonText.of({ choices, ...(isTold ? { usage } : {}) })
}
