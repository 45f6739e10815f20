import { Failure } from '../../core/model/failure.ts'
import { isObject, type JsonObject } from '../../core/model/json/json.ts'

/**
 * The edits that repair a chat's tools. Many servers refuse an empty list, or a tool choice without tools, so those are
 * removed. A tool without a type becomes a function. Undefined if nothing needs repair. Throws Failure
 * `invalid_request` if the tool choice requires a tool and there is none.
 */
export function repairedTools(body: JsonObject): JsonObject | undefined {
  const { tools, functions, tool_choice: choice } = body
  const removed = Array.isArray(functions) && functions.length === 0 ? ['functions'] : []
  const edits: JsonObject = {}
  if (Array.isArray(tools) && tools.length > 0) {
    if (tools.some(isUntyped)) edits['tools'] = tools.map(typedTool)
  } else if ((tools ?? null) === null || Array.isArray(tools)) {
    if ((choice ?? 'auto') !== 'auto' && choice !== 'none') throw noSuchTool()
    removed.push('tools', 'tool_choice', 'parallel_tool_calls')
  }
  // Null counts as absent.
  for (const field of removed) if ((body[field] ?? null) !== null) edits[field] = undefined
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
