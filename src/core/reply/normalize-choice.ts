import type { FinishReason } from '../model/call.ts'
import { type ReadReason, readFinishReason, type UnknownReason } from '../model/finish-reason.ts'
import { dropField, setField } from '../model/json/field-change.ts'
import { isObject, type JsonObject } from '../model/json/json.ts'
import type { LazySet } from '../model/lazy-set.ts'
import type { Kind } from '../model/terms.ts'
import { type ScoredText, settleLogprobs } from './logprobs.ts'
import { moveReasoningParts, nameReasoning } from './reasoning.ts'
import { addSentText, hasContent, newInMessage, nothingSent, type SentText } from './sent-text.ts'
import { settleText } from './settled-text.ts'
import {
  createToolCallRepair,
  dropEmptyCall,
  fillWholeCalls,
  repairWholeToolCalls,
  type ToolCallRepair,
} from './tool-calls.ts'

/** The state of a choice so far. */
export type ChoiceState = {
  /** Part of it has arrived. */
  isBegun: boolean
  hasRole: boolean
  finished: boolean
  /** It contained something other than text that a caller would miss. */
  hasMoreThanText: boolean
  tools: ToolCallRepair | undefined
  /** The whole choice, if it came in one piece. */
  message: JsonObject | undefined
  /** An unknown finish reason: the choice may not be complete. */
  unknownReason: string | undefined
  readonly content: SentText
  readonly reasoning: SentText
  readonly scored: ScoredText
}

/** The answer that a choice belongs to. */
export type AnswerState = {
  readonly kind: Kind
  readonly stream: boolean
  readonly id: string
  readonly keepsReasoning?: boolean | undefined
  readonly flags: Pick<LazySet, 'add'>
  /** How many choices have ended. */
  finished: number
  /** This delta has a role, which must not be repeated. */
  carriesRole: boolean
}

export function beginChoice(): ChoiceState {
  const sent = { content: nothingSent(), reasoning: nothingSent(), scored: { offset: 0 } }
  const open = { message: undefined, unknownReason: undefined }
  return {
    isBegun: false,
    hasRole: false,
    finished: false,
    hasMoreThanText: false,
    tools: undefined,
    ...open,
    ...sent,
  }
}

/** True if a caller would miss the content of a choice. */
export function carriesText(choice: JsonObject): boolean {
  const delta = choice['delta'] ?? choice['message']
  return Boolean(choice['text']) || (isObject(delta) && contentKeys.some((key) => isFilled(delta[key])))
}

function isFilled(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : Boolean(value)
}

/** Members of a message that a caller would miss. */
const contentKeys = [
  'content',
  'reasoning_content',
  'reasoning',
  'refusal',
  'tool_calls',
  'function_call',
] as const

/** Brings a choice into the form of its kind. True if it was changed. */
export function normalizeChoice(choice: JsonObject, current: ChoiceState, state: AnswerState): boolean {
  // Keeps the content of a choice in one place; some upstreams send it in two.
  let changed = settleLogprobs(choice, state.kind, current.scored)
  if (state.kind === 'text') {
    changed = dropField(choice, 'delta') || changed
    changed = dropField(choice, 'message') || changed
    changed = settleText(choice, 'text', '') || changed
    addSentText(current.content, choice['text'])
  } else if (isWholeMessage(choice, current, state)) {
    changed = dropField(choice, 'delta') || changed
    changed = normalizeMessage(choice['message'] as JsonObject, current, state) || changed
  } else {
    changed = takeNewText(choice, current) || changed
    changed = normalizeChatDelta(choice, current, state) || changed
  }
  current.isBegun = true
  const usesTools = current.tools !== undefined || wholeToolCalls(choice) !== undefined
  const read = readFinishReason(choice['finish_reason'], state.kind, usesTools)
  const reason = isUnknown(read) ? null : read
  if (isUnknown(read)) current.unknownReason = read.unknown
  else if (reason === null && carriesText(choice)) current.unknownReason = undefined
  if (reason !== null && endChoice(choice, current, reason, state)) changed = true
  return setField(choice, 'finish_reason', reason) || changed
}

/** Ends a choice with its last delta. True if that changed it. */
export function endChoice(
  choice: JsonObject,
  current: ChoiceState,
  reason: FinishReason,
  state: AnswerState,
): boolean {
  current.finished = true
  state.finished++
  // A truncated answer must not look complete.
  const isCut = reason === 'length' || reason === 'content_filter'
  return !isCut && fillCalls(choice, current)
}

function isUnknown(read: ReadReason): read is UnknownReason {
  return typeof read === 'object' && read !== null
}

/** A message is the whole choice if nothing came before it; in a stream, if no delta has the content. */
function isWholeMessage(choice: JsonObject, { isBegun }: ChoiceState, { stream }: AnswerState): boolean {
  const { message, delta, finish_reason: reason } = choice
  if (!isObject(message) || isBegun) return false
  const isEnd = typeof readFinishReason(reason, 'chat', false) === 'string'
  return stream ? isEnd && !hasContent(delta) : isEnd || !hasContent(delta)
}

/** In a stream the delta counts. Of a message beside it, only the new part counts, and only if the delta is empty. */
function takeNewText(choice: JsonObject, current: ChoiceState): boolean {
  const { message, delta } = choice
  const isFresh = isObject(message) && !hasContent(delta)
  const changed = dropField(choice, 'message')
  if (!isFresh) return changed
  choice['delta'] = { ...(isObject(delta) ? delta : {}), ...newInMessage(message, current) }
  return true
}

/** Missing arguments become an empty object, because callers parse them. */
function fillCalls({ message, delta }: JsonObject, { tools }: ChoiceState): boolean {
  if (isObject(message)) return fillWholeCalls(message)
  const fragments = tools?.missingArguments() ?? []
  if (fragments.length === 0 || !isObject(delta)) return false
  const before = delta['tool_calls']
  delta['tool_calls'] = [...(Array.isArray(before) ? before : []), ...fragments]
  return true
}

function wholeToolCalls(choice: JsonObject): unknown {
  const message = choice['message']
  const calls = isObject(message) ? message['tool_calls'] : undefined
  return Array.isArray(calls) && calls.length > 0 ? calls : undefined
}

function normalizeMessage(message: JsonObject, current: ChoiceState, state: AnswerState): boolean {
  let changed = message['role'] === 'assistant' ? false : setField(message, 'role', 'assistant')
  changed = moveReasoningParts(message) || changed
  changed = settleText(message, 'content', null) || changed
  changed = nameReasoning(message, state.keepsReasoning) || changed
  current.message = message
  noteSent(message, current)
  changed = dropEmptyCall(message) || changed
  changed = keepValidToolCalls(message) || changed
  return repairWholeToolCalls(message, state.id) || changed
}

function noteSent(message: JsonObject, current: ChoiceState): void {
  addSentText(current.content, message['content'])
  addSentText(current.reasoning, message['reasoning_content'])
  current.hasMoreThanText ||= otherContentKeys.some((key) => isFilled(message[key]))
}

const otherContentKeys = ['refusal', 'tool_calls', 'function_call', 'audio', 'images'] as const

function normalizeChatDelta(choice: JsonObject, current: ChoiceState, state: AnswerState): boolean {
  let changed = false
  if (!isObject(choice['delta'])) {
    choice['delta'] = {}
    changed = true
  }
  const delta = choice['delta'] as JsonObject
  if (current.hasRole) {
    changed = dropField(delta, 'role') || changed
  } else {
    current.hasRole = true
    state.carriesRole = true
    changed = setField(delta, 'role', 'assistant') || changed
  }
  if (delta['content'] !== undefined) {
    changed = moveReasoningParts(delta) || changed
    changed = settleText(delta, 'content', null) || changed
  }
  changed = nameReasoning(delta, state.keepsReasoning) || changed
  noteSent(delta, current)
  changed = dropEmptyCall(delta) || changed
  changed = keepValidToolCalls(delta) || changed
  const calls = delta['tool_calls']
  if (!Array.isArray(calls)) return changed
  if (calls.length === 0) return dropField(delta, 'tool_calls')
  current.tools ??= createToolCallRepair(state.id)
  return current.tools.repair(calls) || changed
}

/** Tool calls are a list of objects, or absent. */
function keepValidToolCalls(message: JsonObject): boolean {
  const calls = message['tool_calls']
  if (calls === undefined || (Array.isArray(calls) && calls.every(isObject))) return false
  if (Array.isArray(calls)) message['tool_calls'] = calls.filter(isObject)
  else delete message['tool_calls']
  return true
}
