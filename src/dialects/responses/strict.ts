import { Failure } from '../../core/model/failure.ts'
import { isObject, type JsonObject } from '../../core/model/json/json.ts'
import { nameLetters, refuseMetadata, refuseName, refuseOthers } from '../shared/strict-values.ts'
import { refuseUnknown } from '../shared/validate.ts'
import { strictResponsesFields } from './fields.ts'
import { functionFields } from './tools.ts'

/** Throws Failure `invalid_request` for values that OpenAI refuses in a request that passed `strictResponsesFields`. */
export function refuseByOpenAi(body: JsonObject): void {
  refuseUnknown(body, strictResponsesFields)
  refuseMetadata(body['metadata'])
  const { include, text, reasoning, tools } = body
  if (Array.isArray(include)) {
    for (const [at, name] of include.entries()) refuseOthers(`include[${at}]`, name, includes)
  }
  refuseText(text)
  if (isObject(reasoning)) refuseOthers('reasoning.effort', reasoning['effort'], efforts)
  refuseOthers('service_tier', body['service_tier'], tiers)
  if (Array.isArray(tools)) for (const [at, tool] of tools.entries()) refuseTool(tool, `tools[${at}]`)
}

/** Throws for a result without its call, and for a call without its result. */
export function refuseUnpairedCalls(items: readonly JsonObject[]): void {
  const called = new Set<unknown>()
  const answered = new Set<unknown>()
  for (const { type, call_id: id } of items) {
    if (type === 'function_call' || type === 'custom_tool_call') called.add(id)
    if (type !== 'function_call_output' && type !== 'custom_tool_call_output') continue
    if (!called.has(id))
      throw unpaired(`No tool call found for function call output with call_id ${shortened(id)}.`)
    answered.add(id)
  }
  for (const id of called) {
    if (!answered.has(id)) throw unpaired(`No tool output found for function call ${shortened(id)}.`)
  }
}

function refuseText(text: unknown): void {
  if (!isObject(text)) return
  const { format, verbosity } = text
  refuseOthers('text.verbosity', verbosity, ['low', 'medium', 'high'])
  if (!isObject(format)) return
  refuseOthers('text.format.type', format['type'], ['text', 'json_object', 'json_schema'])
  if (format['type'] === 'json_schema') refuseName('text.format.name', format['name'], nameLetters)
}

function refuseTool(tool: unknown, param: string): void {
  if (!isObject(tool)) return
  const { type, name } = tool
  const known = type === 'function' ? functionFields : type === 'custom' ? customFields : undefined
  if (known === undefined) return
  refuseName(`${param}.name`, name, nameLetters)
  const unknown = Object.keys(tool).find((field) => tool[field] !== null && !known.has(field))
  if (unknown === undefined) return
  const place = `${param}.${shortened(unknown)}`
  throw new Failure('invalid_request', `Unknown parameter: '${place}'.`, {
    param: place,
    code: 'unknown_parameter',
  })
}

const customFields: ReadonlySet<string> = new Set(['type', 'name', 'description', 'format', 'defer_loading'])

const includes = [
  'file_search_call.results',
  'web_search_call.results',
  'web_search_call.action.sources',
  'message.input_image.image_url',
  'computer_call_output.output.image_url',
  'code_interpreter_call.outputs',
  'reasoning.encrypted_content',
  'message.output_text.logprobs',
]

const efforts = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max']

const tiers = ['auto', 'default', 'flex', 'scale', 'priority', 'fast']

function unpaired(message: string): Failure {
  return new Failure('invalid_request', message, { param: 'input', code: null })
}

function shortened(text: unknown): string {
  return typeof text === 'string' ? text.slice(0, 64) : ''
}
