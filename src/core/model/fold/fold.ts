import type { Choice, Chunk, Delta, Message, ToolCall } from '../call.ts'
import { isObject } from '../json/json.ts'
import { JsonText } from '../json/json-text.ts'

/**
 * Folds normalised deltas into one reply. A single whole reply is returned as it is, text included. Chunks are joined
 * per choice, so that interleaved choices do not matter. Undefined if there are none.
 */
export function fold(deltas: readonly Delta[]): Delta | undefined {
  const [first] = deltas
  if (first === undefined) return undefined
  if (deltas.length === 1 && first.value.object !== 'chat.completion.chunk') return first
  const reply: Chunk = { ...first.value, choices: [] }
  const choices = new Map<number, Choice>()
  for (const { value: chunk } of deltas) {
    for (const key of Object.keys(chunk)) {
      // In an upstream's JSON this key is only a name; assigning it would change the prototype.
      if (key !== 'choices' && key !== '__proto__' && chunk[key] !== null) reply[key] = chunk[key]
    }
    for (const choice of chunk.choices) {
      const known = choices.get(choice.index)
      if (known === undefined) choices.set(choice.index, begin(choice))
      else extend(known, choice)
    }
  }
  reply.choices = [...choices.values()].sort((one, other) => one.index - other.index)
  if (reply.object === 'chat.completion.chunk') {
    reply.object = 'chat.completion'
    for (const choice of reply.choices) finish(choice)
  }
  return JsonText.of(reply)
}

/** Splits a whole chat reply into the chunks of a stream: for each choice its role, its content, its end. */
export function unfold(reply: JsonText<Chunk>): readonly Delta[] {
  const chunk = reply.value
  if (chunk.object !== 'chat.completion') return [reply]
  const { choices, ...envelope } = chunk
  const deltas: Delta[] = []
  const push = (choice: Choice, delta: Message, last: boolean) => {
    const { message, finish_reason: reason, logprobs, ...extra } = choice
    const fragment: Choice = { ...extra, delta, finish_reason: last ? reason : null }
    // Logprobs are sent once: with their text, or at the end if there is none.
    const isWithText = message?.content ? delta.content : last
    if (logprobs !== undefined && isWithText) fragment.logprobs = logprobs
    deltas.push(JsonText.of({ ...envelope, object: 'chat.completion.chunk', choices: [fragment] }))
  }
  for (const choice of choices) {
    const { role, content, reasoning_content: reasoning, tool_calls: calls, ...fields } = choice.message ?? {}
    const { reasoning: same, ...others } = fields
    const thought = same === undefined ? {} : { reasoning: same }
    const rest = reasoning ? others : fields
    push(choice, { role: role ?? 'assistant', content: typeof content === 'string' ? '' : null }, false)
    if (reasoning) push(choice, { ...thought, reasoning_content: reasoning }, false)
    if (content || Object.keys(rest).length > 0) push(choice, { ...rest, content: content ?? null }, false)
    for (const [index, call] of (calls ?? []).entries()) {
      push(choice, { tool_calls: [{ ...call, index }] }, false)
    }
    push(choice, {}, true)
  }
  return deltas
}

function begin(choice: Choice): Choice {
  const { delta, ...rest } = choice
  if (delta === undefined) return rest
  const message: Message = { role: 'assistant', content: null }
  extendMessage(message, delta)
  return { ...rest, message }
}

function extend(known: Choice, choice: Choice): void {
  for (const key of Object.keys(choice)) {
    const value = choice[key]
    if (key === 'index' || value === null || value === undefined) continue
    const before = known[key]
    if (key === 'text' && typeof before === 'string' && typeof value === 'string') known.text = before + value
    else if (key === 'logprobs') known.logprobs = joinLogprobs(known.logprobs, value)
    else if (key !== 'delta') known[key] = value
    else {
      known.message ??= {}
      extendMessage(known.message, choice.delta ?? {})
    }
  }
}

function extendMessage(message: Message, delta: Message): void {
  for (const key of Object.keys(delta)) {
    const value = delta[key]
    if (value === null || value === undefined) continue
    const before = message[key]
    if (key === 'tool_calls') {
      message.tool_calls ??= []
      extendToolCalls(message.tool_calls, delta.tool_calls ?? [])
    } else if (key !== 'role' && typeof value === 'string' && typeof before === 'string') {
      message[key] = before + value
    } else if (Array.isArray(value) && Array.isArray(before)) {
      // Annotations and reasoning details: each is sent once.
      message[key] = [...before, ...value]
    } else {
      message[key] = value
    }
  }
}

function extendToolCalls(calls: ToolCall[], fragments: readonly ToolCall[]): void {
  for (const fragment of fragments) {
    const known = calls.find((call) => call.index === fragment.index)
    if (known === undefined) {
      calls.push({ ...fragment, function: { name: '', arguments: '', ...fragment.function } })
      continue
    }
    known.function ??= {}
    const called = known.function
    for (const [key, value] of Object.entries(fragment.function ?? {})) {
      const before = called[key]
      called[key] = typeof before === 'string' && typeof value === 'string' ? before + value : value
    }
  }
}

/** Logprobs are parallel arrays; later chunks are appended. */
function joinLogprobs(known: unknown, more: unknown): unknown {
  if (!isObject(known) || !isObject(more)) return more
  const joined = { ...known }
  for (const [key, value] of Object.entries(more)) {
    const before = joined[key]
    joined[key] = Array.isArray(before) && Array.isArray(value) ? [...before, ...value] : (value ?? before)
  }
  return joined
}

function finish({ message, finish_reason: reason }: Choice): void {
  const calls = message?.tool_calls
  if (message === undefined || calls === undefined) return
  if (message.content === '') message.content = null
  calls.sort((one, other) => placeOf(one) - placeOf(other))
  for (const call of calls) {
    delete call.index
    // Missing arguments become an empty object, because callers parse them; but truncated ones must not look complete.
    if (reason === 'length' || reason === 'content_filter') continue
    if (call.type === 'function' && call.function?.arguments === '') call.function.arguments = '{}'
  }
}

function placeOf({ index }: ToolCall): number {
  return typeof index === 'number' ? index : 0
}
