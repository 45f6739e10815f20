import type { Choice, Chunk, Delta, RawDelta } from '../model/call.ts'
import { Failure } from '../model/failure.ts'
import { setField } from '../model/json/field-change.ts'
import { isObject, type JsonObject, numberOf } from '../model/json/json.ts'
import { JsonText } from '../model/json/json-text.ts'
import type { LazySet } from '../model/lazy-set.ts'
import type { Ending } from '../model/ports.ts'
import type { Kind } from '../model/terms.ts'
import { type ClaimedUsage, readUsage } from '../model/usage/usage.ts'
import { dropUsageInside, usageIn } from '../model/usage/usage-formats.ts'
import { besideChoices } from './beside-choices.ts'
import {
  type AnswerState,
  beginChoice,
  type ChoiceState,
  carriesText,
  endChoice,
  normalizeChoice,
} from './normalize-choice.ts'
import { mixesReasoning, splitReasoning } from './reasoning.ts'
import { addSentText } from './sent-text.ts'
import { hasParsedCalls } from './tool-calls.ts'
import { reasonOf } from './whole.ts'

/**
 * Brings one upstream answer into the internal form, whatever the upstream sends: role, tool-call id, type and name
 * once; text and arguments as strings; reasoning separate from content; one finish_reason per choice from OpenAI's
 * enum, and nothing after it; usage removed and reported separately; id, created and model constant. A delta that is in
 * this form already passes through unchanged, with its text.
 */
export interface Normalizer {
  /** Returns the deltas for the caller, in order. Throws Failure when the upstream reports an error. */
  accept(burst: readonly RawDelta[]): readonly Delta[]
  /** Every requested choice has ended: only usage may follow. */
  isFinished(): boolean
  /**
   * To be called at the end, with how the upstream ended. Returns final deltas for choices without a finish reason, if
   * the answer is proven to be complete. Throws a Failure if it is not.
   */
  finish(ending?: Ending): readonly Delta[]
  /** The upstream's latest usage. */
  usage(): ClaimedUsage | undefined
}

export type NormalizerParts = {
  readonly kind: Kind
  /** True if usage is removed from the deltas, to be reported once, at the end. */
  readonly stream: boolean
  /** Used if the upstream gives none. */
  readonly id: string
  readonly createdEpochSeconds: number
  readonly model: string
  /** How many choices were requested; absent: one. */
  readonly wanted?: number
  /** An answer with fewer choices than this is not whole; absent: one. */
  readonly least?: number
  /** `reasoning` stays beside `reasoning_content` if the upstream uses it. */
  readonly keepsReasoning?: boolean | undefined
  /** The most tokens that a choice may have; absent: no bound was sent. */
  readonly mostTokens?: number | undefined
  /** Called with an unknown finish reason, once the answer is over. */
  readonly noteReason?: (unknown: string) => void
  /** Names of repairs are added here. */
  readonly flags: Pick<LazySet, 'add'>
}

export function createNormalizer(parts: NormalizerParts): Normalizer {
  return new AnswerNormalizer(parts)
}

/** A class, not a closure: one per answer, so that its methods live on the prototype. */
class AnswerNormalizer implements Normalizer {
  readonly #state: State

  constructor(parts: NormalizerParts) {
    this.#state = {
      ...parts,
      identity: undefined,
      choices: new Map(),
      finished: 0,
      claimed: undefined,
      isRepeatable: false,
      isUsageLast: false,
      carriesRole: false,
      waiting: undefined,
      latest: undefined,
    }
  }

  accept(burst: readonly RawDelta[]): readonly Delta[] {
    // The fast path: most of a stream is one more word, and passes through unchanged.
    if (this.#state.isRepeatable && burst.every(isAlike)) {
      for (const { word } of burst) noteWord(word, this.#state)
      return burst as readonly Delta[]
    }
    const seen: Delta[] = []
    for (const raw of burst) normalizeDelta(raw, this.#state, seen)
    return seen
  }

  isFinished(): boolean {
    return isFinished(this.#state)
  }

  finish(ending?: Ending): readonly Delta[] {
    const { choices, finished, least = 1 } = this.#state
    if (choices.size < least) {
      throw new Failure('interrupted', 'The upstream ended the answer before it was complete.')
    }
    return finished === choices.size ? [] : [lastOf(this.#state, ending)]
  }

  usage(): ClaimedUsage | undefined {
    return this.#state.claimed
  }
}

function isAlike(raw: RawDelta): boolean {
  return raw.isAlike === true
}

type Identity = { readonly id: string; readonly created: number; readonly model: string }

type State = NormalizerParts &
  AnswerState & {
    identity: Identity | undefined
    readonly choices: Map<number, ChoiceState>
    claimed: ClaimedUsage | undefined
    /** The delta before was in the right form, so one that differs only in its word is too. */
    isRepeatable: boolean
    /** The latest usage came on its own, and no text has followed. */
    isUsageLast: boolean
    /** Fields beside the choices, sent with the next delta. */
    waiting: JsonObject | undefined
    /** The choice that was sent last: the next word belongs to it. */
    latest: ChoiceState | undefined
  }

function noteWord(word: string | undefined, state: State): void {
  state.isUsageLast = false
  if (state.latest === undefined) return
  addSentText(state.latest.content, word)
  state.latest.unknownReason = undefined
}

function isFinished({ choices, finished, wanted = 1 }: State): boolean {
  return finished === choices.size && finished >= wanted
}

function normalizeDelta(raw: RawDelta, state: State, seen: Delta[]): void {
  if (raw.isAlike && state.isRepeatable) {
    noteWord(raw.word, state)
    seen.push(raw as Delta)
    return
  }
  state.isRepeatable = false
  state.carriesRole = false
  let chunk = raw.value
  const failure = raw.failure ?? failureIn(chunk)
  if (failure !== undefined) {
    if (!isFinished(state)) throw failure
    // The answer is already complete.
    state.flags.add('fault_after_finish')
    return
  }
  let changed = takeUsage(chunk, state)
  const given = chunk['choices']
  if (Array.isArray(given) && given.some((choice) => isObject(choice) && carriesText(choice))) {
    state.isUsageLast = false
  }
  if (!Array.isArray(given) || given.length === 0) {
    keepBeside(chunk, state, seen)
    return
  }
  const kept: Choice[] = []
  for (let position = 0; position < given.length; position++) {
    const choice: unknown = given[position]
    if (!isObject(choice)) continue
    if (!isIndex(choice['index'])) {
      choice['index'] = position
      changed = true
    }
    const current = choiceState(choice['index'] as number, state)
    if (current.finished) {
      if (carriesText(choice)) state.flags.add('text_after_finish')
      continue
    }
    if (normalizeChoice(choice, current, state)) changed = true
    kept.push(choice as Choice)
  }
  if (kept.length === 0) {
    keepBeside(chunk, state, seen)
    return
  }
  if (state.waiting !== undefined) {
    chunk = { ...state.waiting, ...chunk }
    state.waiting = undefined
    changed = true
  }
  if (kept.length !== given.length) {
    chunk['choices'] = kept
    changed = true
  }
  if (settleIdentity(chunk, state)) changed = true
  const delta = changed ? JsonText.of(chunk as Chunk) : settledDelta(raw)
  if (kept.some(mixesReasoning)) {
    seen.push(...splitReasoning(delta))
    return
  }
  seen.push(delta)
  state.isRepeatable = !changed && !state.carriesRole
}

/** The delta is in the right form, but without the word shortcut, because the delta before was not. */
function settledDelta(raw: RawDelta): Delta {
  return (raw.word === undefined ? raw : JsonText.read(raw.value, raw.text)) as Delta
}

/** After the last choice only deltas without choices follow, possibly with the usage. */
function keepBeside(chunk: JsonObject, state: State, seen: Delta[]): void {
  const rest = besideChoices(chunk)
  if (rest === undefined) return
  const { identity } = state
  if (identity === undefined || !isFinished(state)) state.waiting = { ...state.waiting, ...rest }
  else {
    const object = state.kind === 'text' ? 'text_completion' : 'chat.completion.chunk'
    seen.push(JsonText.of({ ...rest, ...identity, object, choices: [] }))
  }
}

function isIndex(value: unknown): boolean {
  return Number.isSafeInteger(value) && numberOf(value) >= 0
}

/** Records the usage and, in a stream, removes it from the chunk. True if the chunk was changed. */
function takeUsage(chunk: JsonObject, state: State): boolean {
  const value = usageIn(chunk)
  if (value === undefined || value === null) return false
  state.claimed = readUsage(value, state.flags) ?? state.claimed
  const { choices } = chunk
  state.isUsageLast = !Array.isArray(choices) || choices.length === 0
  if (!state.stream) return false
  const isInside = dropUsageInside(chunk)
  if ((chunk['usage'] ?? null) === null) return isInside
  chunk['usage'] = null
  return true
}

/** The ends of the open choices, as one delta. Throws if the answer is not proven to be whole. */
function lastOf(state: State, ending: Ending | undefined): Delta {
  const { claimed: usage, isUsageLast, mostTokens, kind, noteReason, flags } = state
  const proofs = { ending, usage, isUsageLast, mostTokens, choices: state.choices.size }
  const isWhole = !state.stream && [...state.choices.values()].some(({ message }) => message !== undefined)
  const ends: JsonObject[] = []
  for (const [index, choice] of state.choices) {
    if (choice.finished) continue
    const { unknownReason: unknown, message, tools, hasMoreThanText, content } = choice
    if (unknown !== undefined) {
      noteReason?.(unknown)
      flags.add('finish_reason_unknown')
    }
    const isParsed = message === undefined ? (tools?.isParsed() ?? true) : hasParsedCalls(message)
    const usesTools = tools !== undefined || hasCalls(message)
    const open = { kind, hasContent: hasMoreThanText || content.length > 0, usesTools, isParsed, unknown }
    const reason = reasonOf(open, proofs)
    // Only for an answer that counts as complete: for a truncated one, the failure reports it.
    if (unknown === undefined) flags.add('finish_reason_missing')
    const end: JsonObject = { index, ...(kind === 'text' ? { text: '' } : isWhole ? {} : { delta: {} }) }
    endChoice(message === undefined ? end : { ...end, message }, choice, reason, state)
    ends.push({
      ...end,
      finish_reason: reason,
      ...(unknown === undefined ? {} : { native_finish_reason: unknown }),
    })
  }
  const object = kind === 'text' ? 'text_completion' : isWhole ? 'chat.completion' : 'chat.completion.chunk'
  const chunk = { ...state.identity, object, choices: ends } as Chunk
  return JsonText.of(chunk)
}

function hasCalls(message: JsonObject | undefined): boolean {
  const calls = message?.['tool_calls']
  return Array.isArray(calls) && calls.length > 0
}

/** An upstream may send this many choices, or twice as many as requested if that is more. */
const fewestChoices = 128

function choiceState(index: number, state: State): ChoiceState {
  let choice = state.choices.get(index)
  if (choice === undefined) {
    if (state.choices.size >= Math.max(fewestChoices, 2 * (state.wanted ?? 1))) {
      throw new Failure('invalid_response', 'The upstream gave more choices than were requested.')
    }
    choice = beginChoice()
    state.choices.set(index, choice)
  }
  state.latest = choice
  return choice
}

function settleIdentity(chunk: JsonObject, state: State): boolean {
  state.identity ??= {
    id: typeof chunk['id'] === 'string' && chunk['id'] !== '' ? chunk['id'] : state.id,
    created: Number.isSafeInteger(chunk['created'])
      ? (chunk['created'] as number)
      : state.createdEpochSeconds,
    model: typeof chunk['model'] === 'string' && chunk['model'] !== '' ? chunk['model'] : state.model,
  }
  const { id, created, model } = state.identity
  let changed = setField(chunk, 'id', id)
  changed = setField(chunk, 'object', objectName(chunk, state.kind)) || changed
  changed = setField(chunk, 'created', created) || changed
  return setField(chunk, 'model', model) || changed
}

function objectName(chunk: JsonObject, kind: Kind): string {
  if (kind === 'text') return 'text_completion'
  const [first] = chunk['choices'] as Choice[]
  return first?.message === undefined ? 'chat.completion.chunk' : 'chat.completion'
}

function failureIn({ error }: JsonObject): Failure | undefined {
  if (error === undefined || error === null) return undefined
  return new Failure('upstream_error', 'The upstream reported an error instead of an answer.', {
    cause: error,
  })
}
