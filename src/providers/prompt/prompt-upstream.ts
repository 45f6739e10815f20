import type { Family } from '../../core/adapt/template.ts'
import type { Call, Clocks, RawDelta } from '../../core/model/call.ts'
import type { Attempt, Upstream } from '../../core/model/ports.ts'
import { type Bounds, keySettingOf, oneChoiceOf, upstreamBase } from '../base/common-settings.ts'
import type { ProviderTools } from '../base/provider.ts'
import { type Asked, readHttpError } from '../http-error/http-error.ts'
import { type ReadError, reportedFailure } from '../http-error/openai-error.ts'
import { Events, replyBytes } from '../openai/stream.ts'
import { createWire, requestHeaders } from '../wire/wire.ts'
import { isEventStream, readWhole, type WireAnswer } from '../wire/wire-answer.ts'
import { nextDelta, readReply } from './prompt-answer.ts'
import { createBodyWriter, type PromptFormat, takesStops } from './prompt-format.ts'
import { type PromptRequest, promptRequest } from './prompt-request.ts'

export type PromptSettings = Bounds & {
  /** The address of every call. */
  readonly url: string
  readonly apiKey?: string | undefined
}

/** Deviations from the default. */
export type PromptQuirks = {
  /** It answers in one piece, even if a stream was requested. */
  readonly isWholeOnly?: boolean
  /** The template for chats; by default by the model's name, without the family's first token. */
  readonly promptFormat?: Family | 'auto'
  readonly bos?: boolean
  readonly keys?: PromptKeys
  readonly keySetting?: string
  /** How a caller's own key begins, if it may go upstream. */
  readonly callerKey?: string
}

/** Chooses the key of a call. */
export interface PromptKeys {
  admits(credential: string | undefined): boolean
  choose(credential: string | undefined): { readonly owner: Asked['key']; readonly headers: string[] }
}

/**
 * An upstream with its own format: chats become prompts, what no prompt can express is refused before anything is sent,
 * and only our key is used, unless `keys` says otherwise. It may answer whole, or in server-sent events if a stream was
 * requested.
 */
export function createPromptUpstream(
  name: string,
  settings: PromptSettings,
  tools: ProviderTools,
  format: PromptFormat,
  quirks: PromptQuirks = {},
): Upstream {
  const { isWholeOnly = false } = quirks
  const clocks = isWholeOnly ? inOnePiece(settings.clocks) : settings.clocks
  const line = createLine(name, { ...settings, clocks }, tools, format, quirks)
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

/** The address, and everything that is the same for all calls. */
function createLine(
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
    asked: ({ model, credential, body }: Call): Asked => ({
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

type Line = ReturnType<typeof createLine>

/** Uses `then`: on the hot path an async frame costs about 1 KB per call. */
function whole(
  line: Line,
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
  line: Line,
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

async function refused({ asked }: Line, answer: WireAnswer, call: Call): Promise<never> {
  throw await readHttpError(answer, asked(call))
}

function isAnswered({ status }: WireAnswer): boolean {
  return status >= 200 && status < 300
}

/** The first token comes with the whole answer. */
function inOnePiece(clocks: Clocks): Clocks {
  return { ...clocks, firstTokenMs: clocks.totalMs }
}

function ownKey(apiKey: string | undefined, userAgent: string): PromptKeys {
  const authorization = apiKey === undefined ? undefined : `Bearer ${apiKey}`
  const owner = apiKey === undefined ? 'none' : 'ours'
  const own = { owner, headers: requestHeaders(userAgent, authorization) } as const
  return { admits: () => true, choose: () => own }
}
