import type { Call, RawDelta } from '../../core/model/call.ts'
import type { Attempt, Upstream } from '../../core/model/ports.ts'
import { type Bounds, oneChoiceOf, upstreamBase } from '../base/common-settings.ts'
import type { ProviderTools } from '../base/provider.ts'
import { type Asked, readHttpError } from '../http-error/http-error.ts'
import { createInquiry } from '../openai/probe-requests.ts'
import { openAiRequest, type RequestQuirks } from '../openai/request.ts'
import { createWire, requestHeaders } from '../wire/wire.ts'
import { type DeploymentAddress, pathBelow } from './address.ts'
import { readOutput } from './output.ts'

/**
 * A deployment that gets the request as its model's input, and whose answer is whatever the model returns: OpenAI's
 * JSON or events, JSON with a text, or streamed plain text.
 */
export function createBasetenPredict(
  name: string,
  given: PredictSettings,
  { origin, predictPath, server, scheme, needsKey, keySetting }: DeploymentAddress & KeyParts,
  { clock, userAgent }: ProviderTools,
): Upstream {
  const { apiKey, clocks, concurrency, healthPath } = given
  const wire = createWire({ name, origin, connectMs: clocks.connectMs, connections: concurrency, clock })
  const headers = requestHeaders(userAgent, apiKey === undefined ? undefined : `${scheme} ${apiKey}`)

  function asked(model: string, request?: () => string): Asked {
    const key = apiKey === undefined ? 'none' : 'ours'
    const secrets = apiKey === undefined ? [] : [apiKey]
    return { provider: name, model, key, keySetting, secrets, epochMs: clock.epochMs(), request }
  }

  async function* stream(call: Call, attempt: Attempt): AsyncGenerator<readonly RawDelta[], void, void> {
    const answer = await wire.post(predictPath, headers, openAiRequest(call, attempt, asItIs).wire, attempt)
    if (answer.status < 200 || answer.status >= 300)
      throw await readHttpError(
        answer,
        asked(call.model, () => call.body.text),
      )
    yield* readOutput(answer, { asked: asked(call.model), kind: call.kind, notes: attempt.notes })
  }

  async function whole(call: Call, attempt: Attempt): Promise<readonly RawDelta[]> {
    const bursts = await Array.fromAsync(stream(call, attempt))
    return bursts.flat()
  }

  return {
    ...upstreamBase(name, given),
    // A bare text is one choice.
    oneChoice: oneChoiceOf(true),
    knownModels: given.models,
    admits: () => apiKey !== undefined || !needsKey,
    keySetting,
    send: (call, attempt) => (call.stream ? stream(call, attempt) : whole(call, attempt)),
    ...createInquiry({
      ...{ name, wire, headers, modelsOf: undefined, modelsPath: '' },
      healthPath:
        server === undefined || healthPath === undefined ? undefined : healthPathOf(server, healthPath),
      refused: (answer) => readHttpError(answer, asked(name)),
    }),
    close: () => wire.close(),
  }
}

export type PredictSettings = Bounds & {
  readonly apiKey?: string | undefined
  readonly healthPath?: string | undefined
  readonly models: readonly string[]
}

/** The word before the key, whether a key is required, and its setting. */
type KeyParts = { readonly scheme: string; readonly needsKey: boolean; readonly keySetting: string }

/** All fields but the model's name pass through: only the model knows what its input means. */
const asItIs: RequestQuirks = { asksUsage: false, renames: {}, drops: [], adapt: (body) => body }

/** Beside the server's `/v1`. */
function healthPathOf(server: string, path: string): string {
  return pathBelow(server.replace(/\/v1(?=$|\?)/, ''), path)
}
