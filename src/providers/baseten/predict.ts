import type { Call, RawDelta } from '../../core/model/call.ts'
import type { Attempt, Upstream } from '../../core/model/ports.ts'
import { type Bounds, oneChoiceOf, upstreamBase } from '../base/common-settings.ts'
import type { ProviderTools } from '../base/provider.ts'
import { type RequestContext, readHttpError } from '../http-error/http-error.ts'
import { createProbeRequests } from '../openai/probe-requests.ts'
import { openAiRequest, type RequestQuirks } from '../openai/request.ts'
import { createWire, requestHeaders } from '../wire/wire.ts'
import { type DeploymentAddress, pathBelow } from './address.ts'
import { readOutput } from './output.ts'

/**
 * A deployment that passes the request to its model as input, and returns the model's output: OpenAI's JSON or events,
 * JSON with a text, or streamed plain text.
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

  function contextOf(model: string, request?: () => string): RequestContext {
    const key = apiKey === undefined ? 'none' : 'ours'
    const secrets = apiKey === undefined ? [] : [apiKey]
    return { provider: name, model, key, keySetting, secrets, epochMs: clock.epochMs(), request }
  }

  async function* stream(call: Call, attempt: Attempt): AsyncGenerator<readonly RawDelta[], void, void> {
    const answer = await wire.post(
      predictPath,
      headers,
      openAiRequest(call, attempt, unchanged).wire,
      attempt,
    )
    if (answer.status < 200 || answer.status >= 300)
      throw await readHttpError(
        answer,
        contextOf(call.model, () => call.body.text),
      )
    yield* readOutput(answer, { context: contextOf(call.model), kind: call.kind, notes: attempt.notes })
  }

  async function whole(call: Call, attempt: Attempt): Promise<readonly RawDelta[]> {
    const bursts = await Array.fromAsync(stream(call, attempt))
    return bursts.flat()
  }

  return {
    ...upstreamBase(name, given),
    // Plain text can carry only one choice.
    oneChoice: oneChoiceOf(true),
    knownModels: given.models,
    admits: () => apiKey !== undefined || !needsKey,
    keySetting,
    send: (call, attempt) => (call.stream ? stream(call, attempt) : whole(call, attempt)),
    ...createProbeRequests({
      ...{ name, wire, headers, modelsOf: undefined, modelsPath: '' },
      healthPath:
        server === undefined || healthPath === undefined ? undefined : healthPathOf(server, healthPath),
      refused: (answer) => readHttpError(answer, contextOf(name)),
    }),
    close: () => wire.close(),
  }
}

export type PredictSettings = Bounds & {
  readonly apiKey?: string | undefined
  readonly healthPath?: string | undefined
  readonly models: readonly string[]
}

/** The authorization scheme, whether a key is required, and the name of its setting. */
type KeyParts = { readonly scheme: string; readonly needsKey: boolean; readonly keySetting: string }

/** Only the model's name is changed: the model defines the meaning of its input. */
const unchanged: RequestQuirks = { asksUsage: false, renames: {}, drops: [], adapt: (body) => body }

/** The health path is a sibling of the server's `/v1`. */
function healthPathOf(server: string, path: string): string {
  return pathBelow(server.replace(/\/v1(?=$|\?)/, ''), path)
}
