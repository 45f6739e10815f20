import { customInput } from '../../core/adapt/custom-input.ts'
import { Failure } from '../../core/model/failure.ts'
import { isObject, type JsonObject, spell } from '../../core/model/json/json.ts'

/** The tool of the request from which a chat's tool was made. */
export type ToolOrigin = {
  readonly type: 'function' | 'custom'
  readonly name: string
  readonly namespace: string | undefined
}

/** The chat's tools for a response, and their origins. */
export type ChatTools = {
  /** `tools` and `tool_choice` of the chat; neither if there are no tools. */
  readonly fields: JsonObject
  /** By a tool's name in the chat. */
  readonly origins: ReadonlyMap<string, ToolOrigin>
}

/**
 * Converts tools and tool choice. A custom tool becomes a function with one string parameter, because few servers
 * support custom tools. A namespace becomes a prefix of its tools' names. The types of tools that OpenAI runs or
 * defines are added to `dropped`. Throws Failure `unsupported` if the tool choice requires one of them. Both must have
 * passed `responsesFields`.
 */
export function chatTools(tools: readonly unknown[], choice: unknown, dropped: Set<string>): ChatTools {
  const origins = new Map<string, ToolOrigin>()
  const functions = new Map<string, JsonObject>()
  for (const { tool, namespace } of flattened(tools)) {
    const { type, name } = tool
    if ((type !== 'function' && type !== 'custom') || typeof name !== 'string') {
      dropped.add(`tools.${spell(type)}`)
      continue
    }
    const chatName = chatToolName(name, namespace)
    origins.set(chatName, { type, name, namespace })
    functions.set(chatName, {
      type: 'function',
      function:
        type === 'custom' ? customFunction(tool, chatName, dropped) : plainFunction(tool, chatName, dropped),
    })
  }
  const { mode, names } = readChoice(choice, origins)
  const left = names === undefined ? functions : new Map([...functions].filter(([name]) => names.has(name)))
  const fields: JsonObject = {}
  if (left.size > 0) {
    fields['tools'] = [...left.values()]
    if (mode !== undefined) fields['tool_choice'] = mode
  } else if (mode === 'required') throw noSuchTool()
  return { fields, origins }
}

/** The name in a chat, which has no namespaces. */
export function chatToolName(name: string, namespace: unknown): string {
  return typeof namespace === 'string' && namespace !== '' ? `${namespace}__${name}` : name
}

function isWord(field: string): boolean {
  return /^[a-z_]{1,40}$/.test(field)
}

type NamespacedTool = { readonly tool: JsonObject; readonly namespace: string | undefined }

function flattened(tools: readonly unknown[]): readonly NamespacedTool[] {
  return tools.filter(isObject).flatMap((tool): readonly NamespacedTool[] => {
    const { type, name, tools: inner } = tool
    if (type !== 'namespace' || typeof name !== 'string' || !Array.isArray(inner)) {
      return [{ tool, namespace: undefined }]
    }
    return inner.filter(isObject).map((one) => ({ tool: one, namespace: name }))
  })
}

/** OpenAI's fields of a function tool. */
export const functionFields: ReadonlySet<string> = new Set([
  ...['type', 'name', 'description', 'parameters', 'strict'],
  ...['defer_loading', 'allowed_callers', 'output_schema'],
])

/** The fields that are forwarded with a chat's function. */
const forwardedFields: ReadonlySet<string> = new Set(['type', 'name', 'description', 'parameters', 'strict'])

/** The tool as a response reports it: without fields that were not forwarded. */
export function effectiveTool(tool: unknown): unknown {
  if (!isObject(tool) || tool['type'] !== 'function') return tool
  const held = Object.entries(tool).filter(([field]) => forwardedFields.has(field))
  return { description: null, parameters: null, strict: null, ...Object.fromEntries(held) }
}

function plainFunction(tool: JsonObject, name: string, dropped: Set<string>): JsonObject {
  const { description, parameters, strict } = tool
  for (const [field, value] of Object.entries(tool)) {
    if (forwardedFields.has(field) || value === null || value === undefined) continue
    // An unknown name is the caller's text, which must not be logged.
    dropped.add(functionFields.has(field) || isWord(field) ? `tools.${field}` : 'tools.*')
  }
  return {
    name,
    ...(typeof description === 'string' ? { description } : {}),
    ...(isObject(parameters) ? { parameters } : {}),
    ...(typeof strict === 'boolean' ? { strict } : {}),
  }
}

function customFunction({ description, format }: JsonObject, name: string, dropped: Set<string>): JsonObject {
  const lines = typeof description === 'string' ? [description] : []
  if (isObject(format) && typeof format['definition'] === 'string') {
    // The grammar is shown to the model but not enforced.
    lines.push(`The input follows this ${spell(format['syntax'])} grammar:\n${format['definition']}`)
    dropped.add('tools.custom.format')
  }
  return {
    name,
    ...(lines.length > 0 ? { description: lines.join('\n\n') } : {}),
    parameters: customInput.schema,
  }
}

type Choice = {
  readonly mode: unknown
  /** The only tools that may be called, by their names in the chat; undefined: all. */
  readonly names: ReadonlySet<string> | undefined
}

function readChoice(choice: unknown, origins: ReadonlyMap<string, ToolOrigin>): Choice {
  if (!isObject(choice)) return { mode: choice ?? undefined, names: undefined }
  const { type, mode, tools } = choice
  if (type === 'allowed_tools') {
    const allowed = Array.isArray(tools) ? tools : []
    const names = flattened(allowed).map(({ tool, namespace }) => nameOf(tool, namespace, origins))
    return { mode, names: new Set(names.filter((name) => name !== undefined)) }
  }
  const name = nameOf(choice, undefined, origins)
  if (name === undefined) throw noSuchTool()
  return { mode: { type: 'function', function: { name } }, names: undefined }
}

function nameOf(
  { type, name, namespace }: JsonObject,
  outer: string | undefined,
  origins: ReadonlyMap<string, ToolOrigin>,
): string | undefined {
  if (typeof name !== 'string') return undefined
  const chatName = chatToolName(name, namespace ?? outer)
  return origins.get(chatName)?.type === type ? chatName : undefined
}

function noSuchTool(): Failure {
  const message = "'tool_choice' requires a tool that this gateway cannot forward."
  return new Failure('unsupported', message, { param: 'tool_choice' })
}
