import { isObject, type JsonObject, numberOf, objectIn, spell } from '../model/json/json.ts'

/**
 * Repairs the tool-call fragments of one choice of a stream: an index in every fragment; id, type and name only in the
 * first; arguments as strings.
 */
export interface ToolCallRepair {
  /** True if a fragment was changed. */
  repair(fragments: unknown[]): boolean
  /** For the end of the choice: an empty object for each call without arguments. */
  missingArguments(): readonly JsonObject[]
  /** The arguments of every call so far are complete JSON. */
  isParsed(): boolean
}

export function createToolCallRepair(callId: string): ToolCallRepair {
  const state: State = { callId, begun: new Map(), numbered: new Map(), latest: -1 }
  return {
    repair(fragments) {
      let changed = false
      for (const fragment of fragments) {
        if (isObject(fragment)) changed = repairFragment(fragment, state) || changed
      }
      return changed
    },
    missingArguments() {
      const silent = [...state.begun].filter(([, call]) => !call.hasArguments)
      return silent.map(([index]) => ({ index, function: { arguments: '{}' } }))
    },
    isParsed: () =>
      [...state.begun.values()].every(
        ({ hasArguments, argumentText }) => hasArguments && isJson(argumentText),
      ),
  }
}

/** Gives every tool call of a whole message a unique id, a type and its arguments as a string. True if changed. */
export function repairWholeToolCalls(message: JsonObject, callId: string): boolean {
  const calls = message['tool_calls']
  if (!Array.isArray(calls)) return false
  let changed = false
  const seen = new Set<unknown>([''])
  for (const [position, call] of calls.entries()) {
    if (!isObject(call)) continue
    if (typeof call['id'] !== 'string' || seen.has(call['id'])) {
      call['id'] = madeId(callId, position)
      changed = true
    }
    seen.add(call['id'])
    if (typeof call['type'] !== 'string') {
      call['type'] = 'function'
      changed = true
    }
    changed = spellArguments(call) || changed
  }
  return changed
}

/** Missing arguments become an empty object in every call of a whole message, the legacy form included. */
export function fillWholeCalls({ tool_calls: calls, function_call: called }: JsonObject): boolean {
  let changed = isObject(called) && fillArguments({ function: called })
  if (!Array.isArray(calls)) return changed
  for (const call of calls) if (isObject(call)) changed = fillArguments(call) || changed
  return changed
}

/** An empty call in the legacy form is removed. True if there was one. */
export function dropEmptyCall(message: JsonObject): boolean {
  const called = message['function_call']
  if (!isObject(called) || called['name'] || called['arguments']) return false
  delete message['function_call']
  return true
}

type State = {
  readonly callId: string
  /** The calls begun, by the index used here. */
  readonly begun: Map<number, OpenCall>
  /** Which of them the upstream's own index referred to last. */
  readonly numbered: Map<number, number>
  /** The index of the last fragment. */
  latest: number
}

type OpenCall = {
  readonly id: string
  named: boolean
  hasArguments: boolean
  /** Its arguments so far, up to a length that no real call reaches. */
  argumentText: string
}

function repairFragment(fragment: JsonObject, state: State): boolean {
  let changed = spellArguments(fragment)
  const given = fragment['index']
  const index = indexOf(fragment, state)
  if (isIndex(given)) state.numbered.set(given, index)
  state.latest = index
  if (given !== index) {
    fragment['index'] = index
    changed = true
  }
  const known = state.begun.get(index)
  if (known === undefined) changed = beginCall(fragment, index, state) || changed
  else changed = stripRepeats(fragment, known) || changed
  const call = state.begun.get(index)
  // A tool of another type takes something other than arguments.
  if (call !== undefined) noteArguments(fragment, call)
  return changed
}

function noteArguments({ function: called }: JsonObject, call: OpenCall): void {
  if (!isObject(called)) {
    call.hasArguments = true
    call.argumentText ||= '{}'
    return
  }
  const text = called['arguments']
  if (typeof text !== 'string' || text === '') return
  call.hasArguments = true
  if (call.argumentText.length < keptCharacters) call.argumentText += text
}

/** Longer arguments never count as complete. */
const keptCharacters = 1024 * 1024

/** Every call of a whole message has JSON arguments, or none. */
export function hasParsedCalls({ tool_calls: calls, function_call: called }: JsonObject): boolean {
  const made = [
    ...(Array.isArray(calls) ? calls.filter(isObject).map((call) => call['function']) : []),
    called,
  ]
  return made
    .filter(isObject)
    .every(({ arguments: text }) => text === '' || typeof text !== 'string' || isJson(text))
}

function isJson(text: string): boolean {
  return objectIn(text) !== undefined
}

/**
 * A fragment belongs to the index it names, unless its id is another call's: some upstreams number every call 0. A new
 * id begins a call only with a second name, because some upstreams give every fragment a new id. Without an index, a
 * fragment begins a call if its id is new, else continues the last.
 */
function indexOf(fragment: JsonObject, { begun, numbered, latest }: State): number {
  const { id, index: given } = fragment
  const hasId = typeof id === 'string' && id !== ''
  const known = hasId ? begun.entries().find(([, call]) => call.id === id)?.[0] : undefined
  if (!isIndex(given)) return known ?? (hasId || begun.size === 0 ? nextIndex(begun) : latest)
  const index = numbered.get(given) ?? given
  const call = begun.get(index)
  if (call === undefined || !hasId || call.id === id) return index
  return known ?? (call.named && names(fragment) ? nextIndex(begun) : index)
}

function nextIndex(begun: ReadonlyMap<number, OpenCall>): number {
  return Math.max(-1, ...begun.keys()) + 1
}

function isIndex(value: unknown): value is number {
  return Number.isSafeInteger(value) && numberOf(value) >= 0
}

function names(fragment: JsonObject): boolean {
  const called = fragment['function']
  return isObject(called) && typeof called['name'] === 'string' && called['name'] !== ''
}

function beginCall(fragment: JsonObject, index: number, { begun, callId }: State): boolean {
  let changed = false
  if (typeof fragment['id'] !== 'string' || fragment['id'] === '') {
    fragment['id'] = madeId(callId, index)
    changed = true
  }
  if (typeof fragment['type'] !== 'string') {
    fragment['type'] = 'function'
    changed = true
  }
  const call = { id: spell(fragment['id']), named: false, hasArguments: false, argumentText: '' }
  begun.set(index, call)
  return settleName(fragment, call) || changed
}

function stripRepeats(fragment: JsonObject, call: OpenCall): boolean {
  let changed = false
  for (const key of ['id', 'type']) {
    if (key in fragment) {
      delete fragment[key]
      changed = true
    }
  }
  return settleName(fragment, call) || changed
}

/** The name is sent once, in the first fragment that has one. */
function settleName(fragment: JsonObject, call: OpenCall): boolean {
  const called = fragment['function']
  if (!isObject(called) || !('name' in called)) return false
  if (!call.named && names(fragment)) {
    call.named = true
    return false
  }
  delete called['name']
  return true
}

function spellArguments(call: JsonObject): boolean {
  const called = call['function']
  if (!isObject(called)) return false
  const given = called['arguments']
  if (given === undefined || typeof given === 'string') return false
  called['arguments'] = given === null ? '' : JSON.stringify(given)
  return true
}

function fillArguments({ function: called }: JsonObject): boolean {
  if (!isObject(called) || (called['arguments'] ?? '') !== '') return false
  called['arguments'] = '{}'
  return true
}

/** Stable within a reply, in the form that upstreams use. */
function madeId(callId: string, index: number): string {
  return `call_${callId.slice(-16)}${index}`
}
