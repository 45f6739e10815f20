import { billingLineName, withoutBillingLine } from '../model/billing-line.ts'
import type { Call, Delta, RawDelta } from '../model/call.ts'
import { Failure } from '../model/failure.ts'
import { type JsonObject, nearest, spell } from '../model/json/json.ts'
import { JsonText } from '../model/json/json-text.ts'
import type { AttemptNotes, Deployment } from '../model/ports.ts'
import type { Normalizer } from '../reply/normalize.ts'
import { candidateBody, candidatesOf, choicesOf, isRanked, rankChoices } from './best-of.ts'
import { chatToText, type KindConversion, stopsOf, takesKind, textToChat } from './convert-kind.ts'
import { createCustomCalls, plainTools } from './custom-tools.ts'
import { createOpening } from './first-text.ts'
import { withinBound } from './output-bound.ts'
import { createPrefixCut, prefixIn } from './repeated-prefix.ts'
import { createStopCutter, type StopCutter } from './stop-strings.ts'
import { holdsTokenIds } from './token-ids.ts'
import { refuseUnsupportedFeatures } from './unsupported-features.ts'

/** A call in the form that its upstream takes, and how to turn the answer into one to the original call. */
export type AdaptedCall = {
  readonly call: Call
  /** Wraps `normalizer` to read the answer. */
  read(normalizer: Normalizer): AnswerReader
}

/** A normalizer for the answer to the original call. */
export type AnswerReader = Normalizer & {
  /** True once the answer was cut at a stop string, though its upstream may continue. Absent: never. */
  readonly isCut?: () => boolean
  /** Post-processes a whole reply. Throws `unsupported`. Absent: unchanged. */
  readonly settled?: (whole: Delta) => Delta
}

/**
 * Adapts a call to a deployment; the call itself if its upstream supports everything. Notes what was converted. Throws
 * `unsupported` for what cannot be emulated there.
 */
export function adaptCall(call: Call, deployment: Deployment, notes: AttemptNotes): AdaptedCall {
  const { upstream } = deployment
  refuseUnsupportedFeatures(call, upstream)
  const limited = withinLimits(call, deployment, notes)
  const ranked =
    isRanked(call) && upstream.lacks?.includes('best_of') === true ? withCandidates(limited) : limited
  const conversion = conversionOf(ranked, deployment)
  if (conversion !== undefined) {
    notes.converted.push(...conversion.converted)
    notes.dropped.push(...conversion.dropped)
  }
  const convertedCall = conversion?.call ?? ranked
  const tools = conversion === undefined ? toolsOf(convertedCall, deployment, notes) : undefined
  const withTools = tools === undefined ? convertedCall : { ...convertedCall, body: JsonText.of(tools.body) }
  const echo = echoedHere(ranked, deployment, conversion)
  const unechoed = echo === undefined ? withTools : withoutEcho(withTools, notes)
  const stops = stopsOf(unechoed.body.value)
  const sent = withFewerStops(unechoed, stops, deployment, notes)
  const repeatedPrefix = repeatedIn(sent, deployment)
  if (sent === call && stops.length === 0 && repeatedPrefix === undefined) return { call, read: unchanged }
  return {
    call: sent,
    read: (normalizer) => {
      const isStopKept = sent.body.value['include_stop_str_in_output'] === true
      return readerThrough(normalizer, {
        conversion,
        prefixCut: repeatedPrefix === undefined ? undefined : createPrefixCut(repeatedPrefix),
        opening: openingOf(conversion, echo),
        cutter: stops.length === 0 || isStopKept ? undefined : cutterFor(sent, stops),
        customNames: tools?.customNames,
        isStream: call.stream,
        settled: ranked === limited ? undefined : (whole) => rankChoices(whole, call),
      })
    },
  }
}

/** Removes fields that other upstreams need, and lowers the output bound to the model's maximum. */
function withinLimits(call: Call, { upstream, traits }: Deployment, notes: AttemptNotes): Call {
  const { keepsBillingLine = upstream.keepsBillingLine } = traits
  const messages = keepsBillingLine === true ? undefined : withoutBillingLine(call.body.value['messages'])
  if (messages !== undefined) notes.dropped.push(billingLineName)
  const limited = messages === undefined ? call : { ...call, body: call.body.with({ messages }) }
  const lowered = withinBound(limited.body.value, traits)
  if (lowered === undefined) return limited
  const fields = Object.keys(lowered)
  for (const field of fields) notes.converted.push(`${field} to ${traits.maxOutputTokens}`)
  notes.dropped.push(...fields)
  return { ...limited, body: limited.body.with(lowered) }
}

/** Whether a prompt of token ids has to be decoded first: a chat takes only text. */
export function isSpelledOut({ kind, body: { value: body } }: Call, { upstream }: Deployment): boolean {
  return kind === 'text' && !takesKind(upstream, 'text') && holdsTokenIds(body['prompt'])
}

/** How many choices an answer to this call has, over all its prompts. */
export function choicesWanted({ kind, body: { value: body } }: Call): number {
  return candidatesOf(kind, body) * promptsIn(body['prompt'])
}

/** The number of prompts; a list of token ids is one prompt. */
export function promptsIn(prompt: unknown): number {
  return Array.isArray(prompt) && typeof prompt[0] !== 'number' ? prompt.length : 1
}

/** The bound of tokens per choice, if the request has one. */
export function mostTokensOf({
  max_completion_tokens: most,
  max_tokens: older,
}: JsonObject): number | undefined {
  const bound = nearest(most ?? older)
  return typeof bound === 'number' ? bound : undefined
}

function unchanged(normalizer: Normalizer): AnswerReader {
  return normalizer
}

function withCandidates(call: Call): Call {
  if (call.stream) {
    const message = "'best_of' cannot be streamed: all of its completions must be complete first."
    throw new Failure('invalid_request', message, { param: 'best_of' })
  }
  const { value } = call.body
  return { ...call, body: JsonText.of({ ...candidateBody(value), n: candidatesOf(call.kind, value) }) }
}

function conversionOf(
  call: Call,
  { upstream, upstreamModel = call.model }: Deployment,
): KindConversion | undefined {
  if (call.kind === 'text') return takesKind(upstream, 'text') ? undefined : textToChat(call, upstream.name)
  const canContinue = call.continues !== true || upstream.takesPrefix === true
  if (takesKind(upstream, 'chat') && canContinue) return undefined
  return chatToText(call, upstreamModel, upstream.name)
}

function toolsOf({ kind, body: { value: body } }: Call, { upstream }: Deployment, notes: AttemptNotes) {
  if (kind !== 'chat' || upstream.lacks?.includes('custom_tools') !== true) return undefined
  const tools = plainTools(body)
  if (tools !== undefined) notes.converted.push(...tools.converted)
  return tools
}

/** The prefix of each choice by its index; undefined if the upstream adds it, or none was requested. */
function echoedHere(
  { kind, body: { value: body } }: Call,
  { upstream }: Deployment,
  conversion: KindConversion | undefined,
): ((index: number) => string) | undefined {
  if (kind !== 'text' || body['echo'] !== true) return undefined
  if (conversion === undefined && upstream.lacks?.includes('echo') !== true) return undefined
  return (index) => spell(promptAt(body['prompt'], index, choicesOf(body)))
}

function promptAt(prompt: unknown, index: number, perPrompt: number): unknown {
  const isList = Array.isArray(prompt) && typeof prompt[0] !== 'number'
  return isList ? prompt[Math.floor(index / perPrompt)] : prompt
}

function withoutEcho(call: Call, notes: AttemptNotes): Call {
  notes.converted.push('echo to a prompt put before the answer')
  return { ...call, body: call.body.with({ echo: undefined }) }
}

/** Sends as many stop strings as the upstream takes; the answer is cut here at all of them. */
function withFewerStops(
  call: Call,
  stops: readonly string[],
  { upstream: { mostStops = Number.POSITIVE_INFINITY } }: Deployment,
  notes: AttemptNotes,
): Call {
  if (stops.length <= mostStops) return call
  notes.converted.push(`stop to ${mostStops} strings, the others cut at here`)
  const kept = mostStops === 0 ? undefined : stops.slice(0, mostStops)
  return { ...call, body: call.body.with({ stop: kept }) }
}

/** The prefill that the upstream repeats, though the caller has it. */
function repeatedIn({ kind, body }: Call, { upstream }: Deployment): string | undefined {
  return kind === 'chat' && upstream.repeatsPrefix === true ? prefixIn(body.value['messages']) : undefined
}

function openingOf(
  conversion: KindConversion | undefined,
  echo: ((index: number) => string) | undefined,
): ((delta: Delta) => Delta) | undefined {
  if (echo !== undefined) return createOpening((text, index) => echo(index) + text)
  if (conversion?.beginsWithSpace !== true) return undefined
  return createOpening((text) => (text.startsWith(' ') ? text.slice(1) : text))
}

function cutterFor(sent: Call, stops: readonly string[]): StopCutter {
  const { echo, prompt } = sent.body.value
  const perPrompt = choicesOf(sent.body.value)
  return createStopCutter({
    stops,
    wanted: choicesWanted(sent),
    echoed: (index) => {
      const own = echo === true ? promptAt(prompt, index, perPrompt) : ''
      // The text length of token ids is unknown: nothing within the prompt is cut.
      return typeof own === 'string' ? own.length : Number.POSITIVE_INFINITY
    },
  })
}

type ReaderParts = {
  readonly conversion: KindConversion | undefined
  readonly cutter: StopCutter | undefined
  readonly prefixCut: ((delta: Delta) => Delta) | undefined
  readonly opening: ((delta: Delta) => Delta) | undefined
  readonly customNames: ReadonlySet<string> | undefined
  readonly isStream: boolean
  readonly settled: ((whole: Delta) => Delta) | undefined
}

function readerThrough(normalizer: Normalizer, parts: ReaderParts): AnswerReader {
  const { conversion, prefixCut, cutter, opening, customNames, isStream, settled } = parts
  const custom = customNames === undefined ? undefined : createCustomCalls(customNames)
  const isCut = () => cutter?.isOver() === true
  const through = (normalized: readonly Delta[]) => {
    const own = prefixCut === undefined ? normalized : normalized.map(prefixCut)
    let deltas = cutter === undefined ? own : cutter.accept(own)
    if (opening !== undefined) deltas = deltas.map(opening)
    // A reply in chunks is folded into a whole one first.
    return custom === undefined || !isStream ? deltas : deltas.map(custom)
  }
  return {
    accept: (burst: readonly RawDelta[]) =>
      through(normalizer.accept(conversion === undefined ? burst : burst.map(conversion.turned))),
    isFinished: () => normalizer.isFinished(),
    finish: (ending) => (isCut() ? [] : through(normalizer.finish(ending))),
    usage: () => normalizer.usage(),
    isCut,
    settled: (whole) => settled?.(whole) ?? (custom === undefined || isStream ? whole : custom(whole)),
  }
}
