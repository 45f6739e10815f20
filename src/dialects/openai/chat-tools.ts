import { Failure } from '../../core/model/failure.ts'
import { isObject, type JsonObject } from '../../core/model/json/json.ts'

/**
 * The edits that repair a chat's tools: many servers refuse an empty list, or a choice without tools; a tool without a
 * type is a function. Undefined if there are none. Throws Failure `invalid_request` if a tool must be called and there
 * is none.
 */
export function mendedTools(body: JsonObject): JsonObject | undefined {
  const { tools, functions, tool_choice: choice } = body
  const left = Array.isArray(functions) && functions.length === 0 ? ['functions'] : []
  const edits: JsonObject = {}
  if (Array.isArray(tools) && tools.length > 0) {
    if (tools.some(isUntyped)) edits['tools'] = tools.map(typedTool)
  } else if ((tools ?? null) === null || Array.isArray(tools)) {
    if ((choice ?? 'auto') !== 'auto' && choice !== 'none') throw noSuchTool()
    left.push('tools', 'tool_choice', 'parallel_tool_calls')
  }
  // Null needs no repair.
  for (const field of left) if ((body[field] ?? null) !== null) edits[field] = undefined
  return Object.keys(edits).length === 0 ? undefined : edits
}

function noSuchTool(): Failure {
  const message = "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified."
  return new Failure('invalid_request', message, { param: 'tool_choice', code: 'invalid_value' })
}

function isUntyped(tool: unknown): tool is JsonObject {
  return isObject(tool) && (tool['type'] ?? null) === null && isObject(tool['function'])
}

function typedTool(tool: unknown): unknown {
  return isUntyped(tool) ? { ...tool, type: 'function' } : tool
}
