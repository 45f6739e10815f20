import type { Family } from '../../core/adapt/template.ts'
import type { Call, Clocks, RawDelta } from '../../core/model/call.ts'
import type { Attempt, Upstream } from '../../core/model/ports.ts'
import { type Bounds, keySettingOf, oneChoiceOf, upstreamBase } from '../base/common-settings.ts'
import type { ProviderTools } from '../base/provider.ts'
import { type RequestContext, readHttpError } from '../http-error/http-error.ts'
import { type ReadError, reportedFailure } from '../http-error/openai-error.ts'
import { Events, replyBytes } from '../openai/stream.ts'
import { createWire, requestHeaders } from '../wire/wire.ts'
import { isEventStream, readWhole, type WireAnswer } from '../wire/wire-answer.ts'
import { nextDelta, readReply } from './prompt-answer.ts'
import { createBodyWriter, type PromptFormat, takesStops } from './prompt-format.ts'
import { type PromptRequest, promptRequest } from './prompt-request.ts'

export type PromptSettings = Bounds & {
  /** The address of all calls. */
  readonly url: string
  readonly apiKey?: string | undefined
}

/** Deviations from the defaults. */
export type PromptQuirks = {
  /** The upstream never streams. */
  readonly isWholeOnly?: boolean
  /** The chat template; `auto` (the default) selects it by the model's name. */
  readonly promptFormat?: Family | 'auto'
  /** Prepend the template's BOS token. Default: false. */
  readonly bos?: boolean
  readonly keys?: PromptKeys
  readonly keySetting?: string
  /** The form of a caller's own key, if such keys are sent upstream: `pk_…`. */
  readonly callerKey?: string
}

/** Chooses the key for a call. */
export interface PromptKeys {
  admits(credential: string | undefined): boolean
  choose(credential: string | undefined): {
    readonly owner: RequestContext['key']
    readonly headers: string[]
  }
}

/**
 * An upstream that takes one prompt, in its own format. Chats are converted to prompts. Requests that a prompt cannot
 * express are refused before anything is sent. Only the configured key is used, unless `keys` chooses another. The
 * upstream may answer a request for a stream with server-sent events or with a whole answer.
 */
export function createPromptUpstream(
  name: string,
  settings: PromptSettings,
  tools: ProviderTools,
  format: PromptFormat,
  quirks: PromptQuirks = {},
): Upstream {
  const { isWholeOnly = false } = quirks
  const clocks = isWholeOnly ? withWholeAnswers(settings.clocks) : settings.clocks
  const line = createRoute(name, { ...settings, clocks }, tools, format, quirks)
  const { keys, keySetting, parts } = line
  return {
    ...upstreamBase(name, { ...settings, clocks }),
    oneChoice: oneChoiceOf(true),
    lacks: ['suffix', 'best_of', 'logprobs'],
    mostStops: takesStops(format) ? undefined : 0,
    takesPrefix: true,
    knownModels: [],
    admits: keys.admits,
    keySetting,
    callerKey: quirks.callerKey,
    send(call, attempt) {
      if (call.stream && !isWholeOnly) return streamed(line, call, attempt)
      try {
        const request = promptRequest(call, attempt, parts)
        if (!(request instanceof Promise)) return whole(line, call, attempt, request)
        return request.then((spelled) => whole(line, call, attempt, spelled))
      } catch (thrown) {
        return Promise.reject(thrown)
      }
    },
    close: () => line.wire.close(),
  }
}

/** The connections and everything else that all calls share. */
function createRoute(
  name: string,
  { apiKey, clocks, concurrency: connections, url }: PromptSettings,
  { clock, detokenizer, userAgent }: ProviderTools,
  format: PromptFormat,
  quirks: PromptQuirks,
) {
  const { promptFormat = 'auto', bos = false } = quirks
  const { keys = ownKey(apiKey, userAgent), keySetting = keySettingOf(name) } = quirks
  const { origin, pathname, search } = new URL(url)
  return {
    ...{ name, format, keys, keySetting },
    path: pathname + search,
    wire: createWire({ name, origin, connectMs: clocks.connectMs, connections, clock }),
    parts: { provider: name, promptFormat, bos, detokenizer },
    write: createBodyWriter(format),
    asked: ({ model, credential, body }: Call): RequestContext => ({
      provider: name,
      model,
      key: keys.choose(credential).owner,
      keySetting,
      secrets: [apiKey, credential].filter((secret) => secret !== undefined),
      epochMs: clock.epochMs(),
      request: () => body.text,
      address: { url: origin + pathname, setting: `providers.${name}.url is the whole address of a call.` },
    }),
  }
}

type Route = ReturnType<typeof createRoute>

/** Uses `then`, because on the hot path an async frame costs about 1 KB per call. */
function whole(
  line: Route,
  call: Call,
  attempt: Attempt,
  request: PromptRequest,
): Promise<readonly RawDelta[]> {
  const { wire, path, keys, write, format, asked } = line
  const { headers } = keys.choose(call.credential)
  const body = write(call, attempt, request, false)
  return wire.postForWhole(path, headers, body.wire, attempt, replyBytes).then((answer) => {
    if (!isAnswered(answer)) return refused(line, answer, call)
    return readWhole(answer, replyBytes, (text) => {
      const reply = readReply(text, request, format.read, () => asked(call))
      attempt.notes.ending = 'value'
      return [reply]
    })
  })
}

async function* streamed(
  line: Route,
  call: Call,
  attempt: Attempt,
): AsyncGenerator<readonly RawDelta[], void, void> {
  const { name, wire, path, keys, parts, write, format, asked } = line
  const { notes } = attempt
  const request = await promptRequest(call, attempt, parts)
  const { headers } = keys.choose(call.credential)
  const answer = await wire.post(path, headers, write(call, attempt, request, true).wire, attempt)
  if (!isAnswered(answer)) await refused(line, answer, call)
  if (!isEventStream(answer, true)) {
    const reply = readReply(await answer.text(replyBytes), request, format.read, () => asked(call))
    notes.ending = 'value'
    yield [reply]
    return
  }
  const readError: ReadError = (error) => reportedFailure(error, asked(call))
  let opening = request.echo
  const told = (raw: RawDelta): RawDelta => {
    if ('error' in raw.value || raw.failure !== undefined) return raw
    const delta = nextDelta(format.read(raw.value), opening, request)
    opening = ''
    return delta
  }
  const events = {
    [Symbol.asyncIterator]: () => new Events(async () => answer, name, { readError, notes }),
  }
  for await (const burst of events) yield burst.map(told)
}

async function refused({ asked }: Route, answer: WireAnswer, call: Call): Promise<never> {
  throw await readHttpError(answer, asked(call))
}

function isAnswered({ status }: WireAnswer): boolean {
  return status >= 200 && status < 300
}

/** The first token arrives with the whole answer, so only the total clock limits it. */
function withWholeAnswers(clocks: Clocks): Clocks {
  return { ...clocks, firstTokenMs: clocks.totalMs }
}

function ownKey(apiKey: string | undefined, userAgent: string): PromptKeys {
  const authorization = apiKey === undefined ? undefined : `Bearer ${apiKey}`
  const owner = apiKey === undefined ? 'none' : 'ours'
  const own = { owner, headers: requestHeaders(userAgent, authorization) } as const
  return { admits: () => true, choose: () => own }
}
