import type Anthropic from '@anthropic-ai/sdk'
import { Failure } from '../../core/model/failure.ts'
import { isObject, type JsonObject, spell } from '../../core/model/json/json.ts'

/**
 * Converts Anthropic's tools and tool choice to a chat's fields. Tools that Anthropic defines or runs, such as
 * `web_search_20250305`, have no schema to forward, so their types are added to `dropped`. Throws Failure `unsupported`
 * if the tool choice requires one of them. Both must have passed `anthropicFields`.
 */
export function chatTools(tools: unknown, choice: unknown, dropped: Set<string>): JsonObject {
  const functions = Array.isArray(tools) ? tools.flatMap((tool: JsonObject) => functionOf(tool, dropped)) : []
  const wanted = (choice ?? { type: 'auto' }) as Anthropic.ToolChoice
  const names = functions.map(({ function: { name } }) => name)
  if (wanted.type === 'tool' ? !names.includes(wanted.name) : wanted.type === 'any' && names.length === 0) {
    const message = "'tool_choice' requires a tool that this gateway cannot forward."
    throw new Failure('unsupported', message, { param: 'tool_choice' })
  }
  if (functions.length === 0) return {}
  const fields: JsonObject = { tools: functions }
  if (choice !== undefined && choice !== null) fields['tool_choice'] = chatChoice(wanted)
  if ('disable_parallel_tool_use' in wanted && wanted.disable_parallel_tool_use === true) {
    fields['parallel_tool_calls'] = false
  }
  return fields
}

type ChatFunction = { readonly type: 'function'; readonly function: { readonly name: string } & JsonObject }

function functionOf(tool: JsonObject, dropped: Set<string>): readonly ChatFunction[] {
  if ((tool['cache_control'] ?? null) !== null) dropped.add('cache_control')
  const { type, name, description, input_schema: parameters, strict } = tool
  if (typeof name !== 'string' || !isObject(parameters)) {
    dropped.add(`tools.${spell(type)}`)
    return []
  }
  for (const field of unsupportedFields) if ((tool[field] ?? null) !== null) dropped.add(`tools.${field}`)
  return [
    {
      type: 'function',
      function: {
        name,
        ...(typeof description === 'string' ? { description } : {}),
        parameters,
        ...(typeof strict === 'boolean' ? { strict } : {}),
      },
    },
  ]
}

const unsupportedFields = [
  'allowed_callers',
  'defer_loading',
  'eager_input_streaming',
  'input_examples',
] as const

function chatChoice(choice: Anthropic.ToolChoice): string | JsonObject {
  switch (choice.type) {
    case 'auto':
    case 'none':
      return choice.type
    case 'any':
      return 'required'
    case 'tool':
      return { type: 'function', function: { name: choice.name } }
  }
}
