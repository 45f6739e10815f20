import { billingLineName, withoutBillingLine } from '../model/billing-line.ts'
import type { Call, Delta, RawDelta } from '../model/call.ts'
import { Failure } from '../model/failure.ts'
import { type JsonObject, nearest, spell } from '../model/json/json.ts'
import { JsonText } from '../model/json/json-text.ts'
import type { AttemptNotes, Deployment } from '../model/ports.ts'
import type { Normalizer } from '../reply/normalize.ts'
import { candidateBody, candidatesOf, choicesOf, isRanked, rankChoices } from './best-of.ts'
import { type Crossing, chatToText, stopsOf, takesKind, textToChat } from './convert-kind.ts'
import { createCustomCalls, plainTools } from './custom-tools.ts'
import { createOpening } from './first-text.ts'
import { withinBound } from './output-bound.ts'
import { createPrefixCut, prefixIn } from './repeated-prefix.ts'
import { createStopCutter, type StopCutter } from './stop-strings.ts'
import { holdsTokenIds } from './token-ids.ts'
import { refuseUnsupportedFeatures } from './unsupported-features.ts'

/** A call as its upstream takes it, and how the answer becomes that of the call. */
export type Asking = {
  readonly call: Call
  /** Reads the answer through `normalizer`. */
  reading(normalizer: Normalizer): Reading
}

/** A normalizer of an answer to what the caller asked. */
export type Reading = Normalizer & {
  /** The answer is over, though its upstream may go on. Absent: it never is. */
  readonly isCut?: () => boolean
  /** The last word on a whole reply. Throws `unsupported`. Absent: it stays as it is. */
  readonly settled?: (whole: Delta) => Delta
}

/**
 * What is asked of a deployment for a call: the call itself where its upstream has all that it asks for. Notes what
 * was translated. Throws `unsupported` for what can be had in no way there.
 */
export function adaptCall(call: Call, deployment: Deployment, notes: AttemptNotes): Asking {
  const { upstream } = deployment
  refuseUnsupportedFeatures(call, upstream)
  const heard = withinLimits(call, deployment, notes)
  const ranked =
    isRanked(call) && upstream.lacks?.includes('best_of') === true ? withCandidates(heard) : heard
  const crossing = crossingOf(ranked, deployment)
  if (crossing !== undefined) {
    notes.converted.push(...crossing.converted)
    notes.dropped.push(...crossing.dropped)
  }
  const crossed = crossing?.call ?? ranked
  const tools = crossing === undefined ? toolsOf(crossed, deployment, notes) : undefined
  const named = tools === undefined ? crossed : { ...crossed, body: JsonText.of(tools.body) }
  const echo = echoedHere(ranked, deployment, crossing)
  const silent = echo === undefined ? named : withoutEcho(named, notes)
  const stops = stopsOf(silent.body.value)
  const asked = withFewerStops(silent, stops, deployment, notes)
  const repeated = repeatedIn(asked, deployment)
  if (asked === call && stops.length === 0 && repeated === undefined) return { call, reading: asItIs }
  return {
    call: asked,
    reading: (normalizer) => {
      const isStopKept = asked.body.value['include_stop_str_in_output'] === true
      return readingThrough(normalizer, {
        crossing,
        prefixCut: repeated === undefined ? undefined : createPrefixCut(repeated),
        opening: openingOf(crossing, echo),
        cutter: stops.length === 0 || isStopKept ? undefined : cutterFor(asked, stops),
        customNames: tools?.customNames,
        isStream: call.stream,
        settled: ranked === heard ? undefined : (whole) => rankChoices(whole, call),
      })
    },
  }
}

/** Without what is for others alone, and with no more asked for than the model can give. */
function withinLimits(call: Call, { upstream, traits }: Deployment, notes: AttemptNotes): Call {
  const { keepsBillingLine = upstream.keepsBillingLine } = traits
  const messages = keepsBillingLine === true ? undefined : withoutBillingLine(call.body.value['messages'])
  if (messages !== undefined) notes.dropped.push(billingLineName)
  const heard = messages === undefined ? call : { ...call, body: call.body.with({ messages }) }
  const lowered = withinBound(heard.body.value, traits)
  if (lowered === undefined) return heard
  const fields = Object.keys(lowered)
  for (const field of fields) notes.converted.push(`${field} to ${traits.maxOutputTokens}`)
  notes.dropped.push(...fields)
  return { ...heard, body: heard.body.with(lowered) }
}

/** Whether a prompt of token ids is to be text first: a chat takes no others. */
export function isSpelledOut({ kind, body: { value: body } }: Call, { upstream }: Deployment): boolean {
  return kind === 'text' && !takesKind(upstream, 'text') && holdsTokenIds(body['prompt'])
}

/** How many choices an answer to this call has, over all its prompts. */
export function choicesWanted({ kind, body: { value: body } }: Call): number {
  return candidatesOf(kind, body) * promptsIn(body['prompt'])
}

/** How many prompts there are: a list of token ids is one. */
export function promptsIn(prompt: unknown): number {
  return Array.isArray(prompt) && typeof prompt[0] !== 'number' ? prompt.length : 1
}

/** The most tokens that a choice may take, where the request says so. */
export function mostTokensOf({
  max_completion_tokens: most,
  max_tokens: older,
}: JsonObject): number | undefined {
  const bound = nearest(most ?? older)
  return typeof bound === 'number' ? bound : undefined
}

function asItIs(normalizer: Normalizer): Reading {
  return normalizer
}

function withCandidates(call: Call): Call {
  if (call.stream) {
    const message = 'The best of several cannot be streamed: they are all to be written first.'
    throw new Failure('invalid_request', message, { param: 'best_of' })
  }
  const { value } = call.body
  return { ...call, body: JsonText.of({ ...candidateBody(value), n: candidatesOf(call.kind, value) }) }
}

function crossingOf(call: Call, { upstream, upstreamModel = call.model }: Deployment): Crossing | undefined {
  if (call.kind === 'text') return takesKind(upstream, 'text') ? undefined : textToChat(call, upstream.name)
  const goesOn = call.continues !== true || upstream.takesPrefix === true
  if (takesKind(upstream, 'chat') && goesOn) return undefined
  return chatToText(call, upstreamModel, upstream.name)
}

function toolsOf({ kind, body: { value: body } }: Call, { upstream }: Deployment, notes: AttemptNotes) {
  if (kind !== 'chat' || upstream.lacks?.includes('custom_tools') !== true) return undefined
  const tools = plainTools(body)
  if (tools !== undefined) notes.converted.push(...tools.converted)
  return tools
}

/** What is put before each choice by its index; undefined where the upstream does that, or it was not asked for. */
function echoedHere(
  { kind, body: { value: body } }: Call,
  { upstream }: Deployment,
  crossing: Crossing | undefined,
): ((index: number) => string) | undefined {
  if (kind !== 'text' || body['echo'] !== true) return undefined
  if (crossing === undefined && upstream.lacks?.includes('echo') !== true) return undefined
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

/** As many as the upstream takes: at all of them the answer is cut here. */
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

/** What the upstream says again, though its caller has it. */
function repeatedIn({ kind, body }: Call, { upstream }: Deployment): string | undefined {
  return kind === 'chat' && upstream.repeatsPrefix === true ? prefixIn(body.value['messages']) : undefined
}

function openingOf(
  crossing: Crossing | undefined,
  echo: ((index: number) => string) | undefined,
): ((delta: Delta) => Delta) | undefined {
  if (echo !== undefined) return createOpening((text, index) => echo(index) + text)
  if (crossing?.beginsWithSpace !== true) return undefined
  return createOpening((text) => (text.startsWith(' ') ? text.slice(1) : text))
}

function cutterFor(asked: Call, stops: readonly string[]): StopCutter {
  const { echo, prompt } = asked.body.value
  const perPrompt = choicesOf(asked.body.value)
  return createStopCutter({
    stops,
    wanted: choicesWanted(asked),
    echoed: (index) => {
      const own = echo === true ? promptAt(prompt, index, perPrompt) : ''
      // The length of the text of token ids is not known: nothing is cut within it.
      return typeof own === 'string' ? own.length : Number.POSITIVE_INFINITY
    },
  })
}

type ReaderParts = {
  readonly crossing: Crossing | undefined
  readonly cutter: StopCutter | undefined
  readonly prefixCut: ((delta: Delta) => Delta) | undefined
  readonly opening: ((delta: Delta) => Delta) | undefined
  readonly customNames: ReadonlySet<string> | undefined
  readonly isStream: boolean
  readonly settled: ((whole: Delta) => Delta) | undefined
}

function readingThrough(normalizer: Normalizer, parts: ReaderParts): Reading {
  const { crossing, prefixCut, cutter, opening, customNames, isStream, settled } = parts
  const custom = customNames === undefined ? undefined : createCustomCalls(customNames)
  const isCut = () => cutter?.isOver() === true
  const through = (normalized: readonly Delta[]) => {
    const own = prefixCut === undefined ? normalized : normalized.map(prefixCut)
    let deltas = cutter === undefined ? own : cutter.accept(own)
    if (opening !== undefined) deltas = deltas.map(opening)
    // Of a reply in chunks there is first to be a whole one.
    return custom === undefined || !isStream ? deltas : deltas.map(custom)
  }
  return {
    accept: (burst: readonly RawDelta[]) =>
      through(normalizer.accept(crossing === undefined ? burst : burst.map(crossing.turned))),
    isFinished: () => normalizer.isFinished(),
    finish: (ending) => (isCut() ? [] : through(normalizer.finish(ending))),
    usage: () => normalizer.usage(),
    isCut,
    settled: (whole) => settled?.(whole) ?? (custom === undefined || isStream ? whole : custom(whole)),
  }
}
