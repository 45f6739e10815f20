import type { Choice, Delta, Message, ToolCall } from '../model/call.ts'
import { Failure } from '../model/failure.ts'
import { isObject, type JsonObject, spell } from '../model/json/json.ts'
import { JsonText } from '../model/json/json-text.ts'
import { customInput } from './custom-input.ts'

/** The tools of a chat as functions only, for an upstream that knows no other type. */
export type PlainTools = {
  readonly body: JsonObject
  /** What was converted; reported to the caller. */
  readonly converted: readonly string[]
  /** The names of custom tools. */
  readonly customNames: ReadonlySet<string>
}

/**
 * Converts custom tools to functions with one string parameter, and `allowed_tools` to those tools only. Undefined if
 * there is neither. Throws `invalid_request` for a choice of an unknown tool.
 */
export function plainTools(body: JsonObject): PlainTools | undefined {
  const { tools, tool_choice: choice, messages } = body
  const given: readonly unknown[] = Array.isArray(tools) ? tools : []
  const customNames = new Set(given.filter(isCustom).map((tool) => nameOf(tool)))
  const isNarrowed = isObject(choice) && choice['type'] === 'allowed_tools'
  const plainHistory = Array.isArray(messages) ? plainMessages(messages) : undefined
  if (customNames.size === 0 && !isNarrowed && plainHistory === undefined) return undefined
  const allowed = isNarrowed ? allowedIn(given, choice) : given
  const plain: JsonObject = { ...body, ...plainChoice(choice) }
  if (Array.isArray(tools)) plain['tools'] = allowed.map(plainTool)
  if (plainHistory !== undefined) plain['messages'] = plainHistory
  const converted = [
    ...(customNames.size > 0 || plainHistory !== undefined ? ['custom tools to functions'] : []),
    ...(isNarrowed ? ['allowed_tools to tools'] : []),
  ]
  return { body: plain, converted, customNames }
}

/** Converts function calls of an answer back to calls of custom tools. One per answer. */
export function createCustomCalls(customNames: ReadonlySet<string>): (delta: Delta) => Delta {
  /** The inputs so far, by choice and by index. */
  const open = new Map<number, Map<number, string>>()
  return (delta) => {
    const choices = delta.value.choices.map((choice) => {
      if (choice.message !== undefined) return wholeChoice(choice, choice.message, customNames)
      if (choice.delta === undefined) return choice
      return streamedChoice(choice, choice.delta, customNames, open)
    })
    const isAsSent = choices.every((choice, at) => choice === delta.value.choices[at])
    return isAsSent ? delta : JsonText.of({ ...delta.value, choices })
  }
}

function isCustom(tool: unknown): tool is JsonObject {
  return isObject(tool) && tool['type'] === 'custom' && isObject(tool['custom'])
}

function nameOf(tool: unknown): string {
  const described = isObject(tool) ? (tool['custom'] ?? tool['function']) : undefined
  return isObject(described) ? spell(described['name']) : ''
}

function plainTool(tool: unknown): unknown {
  if (!isCustom(tool)) return tool
  const { name, description, format } = tool['custom'] as JsonObject
  const words = [description, grammarIn(format)].filter((text) => typeof text === 'string')
  return {
    type: 'function',
    function: {
      name,
      ...(words.length > 0 ? { description: words.join('\n\n') } : {}),
      parameters: customInput.schema,
    },
  }
}

/** The grammar is shown to the model but not enforced. */
function grammarIn(format: unknown): string | undefined {
  const grammar = isObject(format) ? format['grammar'] : undefined
  if (!isObject(grammar) || typeof grammar['definition'] !== 'string') return undefined
  return `The input is written in this ${spell(grammar['syntax'])} grammar:\n${grammar['definition']}`
}

function allowedIn(tools: readonly unknown[], choice: JsonObject): readonly unknown[] {
  const allowed = isObject(choice['allowed_tools']) ? choice['allowed_tools']['tools'] : undefined
  const names = new Set(Array.isArray(allowed) ? allowed.map(nameOf) : [])
  const left = tools.filter((tool) => names.has(nameOf(tool)))
  if (left.length > 0) return left
  throw new Failure('invalid_request', "'tool_choice' allows none of the tools in 'tools'.", {
    param: 'tool_choice.allowed_tools.tools',
  })
}

function plainChoice(choice: unknown): JsonObject {
  if (!isObject(choice)) return {}
  const { type, custom, allowed_tools: allowed } = choice
  if (type === 'custom' && isObject(custom)) {
    return { tool_choice: { type: 'function', function: { name: custom['name'] } } }
  }
  if (type !== 'allowed_tools') return {}
  return { tool_choice: (isObject(allowed) ? allowed['mode'] : undefined) ?? 'auto' }
}

/** The messages with calls of custom tools as function calls; undefined if there are none. */
function plainMessages(messages: readonly unknown[]): readonly unknown[] | undefined {
  const plain = messages.map((message) => {
    if (!isObject(message) || !Array.isArray(message['tool_calls'])) return message
    const calls = message['tool_calls']
    if (!calls.some(isCustom)) return message
    return { ...message, tool_calls: calls.map(plainCall) }
  })
  return plain.every((message, at) => message === messages[at]) ? undefined : plain
}

function plainCall(call: unknown): unknown {
  if (!isCustom(call)) return call
  const { custom, ...rest } = call
  const { name, input } = custom as JsonObject
  return { ...rest, type: 'function', function: { name, arguments: customInput.toArguments(input) } }
}

function wholeChoice(choice: Choice, message: Message, customNames: ReadonlySet<string>): Choice {
  const { tool_calls: calls } = message
  if (calls === undefined || !calls.some((call) => customNames.has(nameOf(call)))) return choice
  const turned = calls.map((call) => {
    if (!customNames.has(nameOf(call))) return call
    const { function: called, ...rest } = call
    return {
      ...rest,
      type: 'custom',
      custom: { name: called?.name, input: customInput.fromArguments(called?.arguments ?? '') },
    }
  })
  return { ...choice, message: { ...message, tool_calls: turned } }
}

/** The input of a call is sent in one piece when it is complete: until then it is partial JSON. */
function streamedChoice(
  choice: Choice,
  delta: Message,
  customNames: ReadonlySet<string>,
  open: Map<number, Map<number, string>>,
): Choice {
  const inputs = open.get(choice.index) ?? new Map<number, string>()
  open.set(choice.index, inputs)
  const fragments = (delta.tool_calls ?? []).flatMap((fragment): readonly ToolCall[] => {
    const { function: called, index = 0, ...rest } = fragment
    const begins = called?.name !== undefined && customNames.has(called.name)
    if (!begins && !inputs.has(index)) return [fragment]
    inputs.set(index, (inputs.get(index) ?? '') + (called?.arguments ?? ''))
    return begins ? [{ ...rest, index, type: 'custom', custom: { name: called.name, input: '' } }] : []
  })
  const isOver = choice.finish_reason !== null
  if (isOver) {
    for (const [index, text] of inputs)
      fragments.push({ index, custom: { input: customInput.fromArguments(text) } })
    inputs.clear()
  }
  if (delta.tool_calls === undefined && fragments.length === 0) return choice
  const { tool_calls: _calls, ...others } = delta
  return { ...choice, delta: fragments.length === 0 ? others : { ...others, tool_calls: fragments } }
}
