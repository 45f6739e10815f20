import { setImmediate } from 'node:timers/promises'
import * as z from 'zod'
import { holdsTokenIds, inWords } from '../core/adapt/token-ids.ts'
import { pause } from '../core/attempt/pause.ts'
import type { AnyCall, Call, RawDelta, Relay, RelayReply } from '../core/model/call.ts'
import { Failure } from '../core/model/failure.ts'
import type { JsonObject } from '../core/model/json/json.ts'
import { JsonText } from '../core/model/json/json-text.ts'
import type { Attempt, Clock } from '../core/model/ports.ts'
import { knownModels } from '../simulator/script/behaviours.ts'
import { type AnswerScript, createAnswerScript } from '../simulator/script/chunks.ts'
import { echoedPrompt, ignoredFields, logprobsIn, scriptRequest } from '../simulator/script/request.ts'
import type { Refusal, Script } from '../simulator/script/script.ts'
import { createSimulatorState } from '../simulator/script/state.ts'
import { embeddingsFor, rerankFor } from '../simulator/script/vectors.ts'
import type { Provider } from './base/provider.ts'
import { failureOf } from './http-error/http-error.ts'

/**
 * A provider inside the gateway that runs no model. The model's name encodes its behaviour, including failures. The
 * same request always gets the same answer.
 */
export const simulator: Provider<SimulatorSettings> = {
  type: 'simulator',
  settings: z.strictObject({}),
  priceList: () => undefined,
  create(name, _settings, { clock, detokenizer }) {
    const state = createSimulatorState()
    return {
      name,
      clocks: { connectMs: 5000, firstTokenMs: 30_000, idleMs: 30_000, totalMs: 600_000 },
      retry: { retries: 1, delayMs: 200 },
      oneChoice: { text: true, chat: true },
      takesPrefix: true,
      knownModels,
      admits: () => true,
      send(call, attempt) {
        const script = state.scriptFor(attempt.upstreamModel, scriptRequest(call))
        attempt.notes.dropped.push(...ignoredFields(call))
        // Logprobs need one delta per token.
        const isWhole = !call.stream && logprobsIn(call) === undefined
        return perform(isWhole ? joinPieces(script) : script, { name, clock, call, attempt })
      },
      relay: async (call, attempt) => {
        const { upstreamModel: model, notes } = attempt
        const script = state.scriptFor(model, { ...noWords, prompt: call.body.text })
        const { input: given } = call.body.value
        const input = holdsTokenIds(given) ? await inWords(given, detokenizer, notes) : given
        return await vectors(script, { name, clock, call, attempt }, input)
      },
      close: async () => undefined,
    }
  },
}

type SimulatorSettings = Record<string, never>

type Performance<Asked extends AnyCall = Call> = {
  readonly name: string
  readonly clock: Clock
  readonly call: Asked
  readonly attempt: Attempt
}

/** Joins words without a pause between them into one delta, for JSON answers. */
function joinPieces(script: Script): Script {
  const joined: Script[number][] = []
  for (const step of script) {
    const last = joined.at(-1)
    if ((step.type === 'text' || step.type === 'reasoning') && last?.type === step.type) {
      joined[joined.length - 1] = { type: step.type, text: last.text + step.text }
    } else joined.push(step)
  }
  return joined
}

async function* perform(
  script: Script,
  performance: Performance,
): AsyncGenerator<readonly RawDelta[], void, void> {
  const { signal } = performance.attempt
  const writer = writerFor(performance)
  signal.throwIfAborted()
  for (const step of script) {
    switch (step.type) {
      case 'wait':
      case 'stall':
        if (writer.count > 0) yield writer.take()
        await pause(step.type === 'wait' ? step.ms : Number.POSITIVE_INFINITY, signal)
        break
      case 'cut':
        answered(performance, 200)
        if (writer.count > 0) yield writer.take()
        return
      case 'reset':
        throw reset(performance)
      case 'refuse':
        answered(performance, step.status)
        throw refused(step, performance)
      case 'garble':
        answered(performance, 200)
        throw garbled(performance)
      case 'text':
      case 'reasoning':
      case 'tool':
        answered(performance, 200)
        writer.write(step)
        if (writer.count < mostInOneBurst) break
        yield writer.take()
        await setImmediate()
        signal.throwIfAborted()
        break
      case 'finish':
        answered(performance, 200)
        writer.finish(step)
        yield writer.take()
        return
    }
  }
}

/** Answers embeddings and rerank. The script decides waits and failures; the answer itself is always whole. */
async function vectors(script: Script, stage: Performance<Relay>, input: unknown): Promise<RelayReply> {
  const { call, attempt } = stage
  attempt.signal.throwIfAborted()
  for (const step of script) {
    if (step.type === 'wait') await pause(step.ms, attempt.signal)
    else if (step.type === 'stall') await pause(Number.POSITIVE_INFINITY, attempt.signal)
    else if (step.type === 'refuse') throw refused(step, stage)
    else if (step.type === 'garble') throw garbled(stage)
    else if (step.type === 'reset' || step.type === 'cut') throw reset(stage)
    else break
  }
  answered(stage, 200)
  const body = { ...call.body.value, input, model: attempt.upstreamModel }
  const counted =
    call.kind === 'embeddings' ? embeddingsFor(body, call.id, dimensionsIn(body)) : rerankFor(body, call.id)
  if (counted === undefined) {
    throw new Failure('rejected', 'The simulator takes only text, and at least one.', { param: 'input' })
  }
  const { request_id: _id, ...reply } = counted.reply
  const usage = { prompt_tokens: counted.promptTokens, total_tokens: counted.promptTokens }
  return JsonText.of({ ...reply, usage })
}

/** No real model has longer vectors. */
const mostDimensions = 16_384

function dimensionsIn({ dimensions }: JsonObject): number | undefined {
  if (dimensions === undefined || dimensions === null) return undefined
  if (typeof dimensions === 'number' && dimensions <= mostDimensions) return dimensions
  throw new Failure('rejected', `The simulator gives at most ${mostDimensions} dimensions.`, {
    param: 'dimensions',
  })
}

/** The script request for embeddings and rerank. */
const noWords = { kind: 'text', promptTokens: 0, maxTokens: undefined, stop: [], tool: undefined } as const

function reset({ name }: Performance<AnyCall>): Failure {
  return new Failure('unreachable', 'The upstream closed the connection without an answer.', {
    provider: name,
  })
}

function garbled({ name }: Performance<AnyCall>): Failure {
  return new Failure('invalid_response', 'The upstream gave an answer that cannot be read.', {
    provider: name,
    upstreamStatus: 200,
  })
}

/** About as many as one read of a socket gives. Between bursts the event loop runs other work. */
const mostInOneBurst = 32

function writerFor({ call, attempt, clock }: Performance): AnswerScript {
  return createAnswerScript({
    kind: call.kind,
    id: `${call.kind === 'text' ? 'cmpl' : 'chatcmpl'}-sim-${call.id}`,
    createdEpochSeconds: Math.floor(clock.epochMs() / 1000),
    model: attempt.upstreamModel,
    opening: echoedPrompt(call),
    logprobs: logprobsIn(call),
  })
}

function answered({ attempt: { notes }, clock }: Performance<AnyCall>, status: number): void {
  notes.headersAt ??= clock.now()
  notes.upstreamStatus ??= status
}

/** The failure that the same answer over the network would be. */
function refused(
  { status, error, retryAfterSeconds }: Refusal,
  { name, call, clock }: Performance<AnyCall>,
): Failure {
  const header = (field: string) => (field === 'retry-after' ? retryAfterSeconds?.toString() : undefined)
  return failureOf(
    { status, header, text: JSON.stringify({ error }) },
    {
      provider: name,
      model: call.model,
      key: 'ours',
      keySetting: "the simulator's script",
      secrets: [],
      epochMs: clock.epochMs(),
    },
  )
}
