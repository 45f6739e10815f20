import { Failure } from '../../core/model/failure.ts'
import { isObject, type JsonObject, spell } from '../../core/model/json/json.ts'
import { refuseIdleStreamOptions } from '../shared/call.ts'
import {
  nameLetters,
  refuseLogitBias,
  refuseMetadata,
  refuseName,
  refuseOthers,
} from '../shared/strict-values.ts'
import { refuseUnknown } from '../shared/validate.ts'
import { missing, outOfBounds } from '../shared/validation-error.ts'
import { strictChatFields } from './chat-fields.ts'
import { refuseStrictMessages } from './strict-messages.ts'

/** Throws Failure `invalid_request` for values that OpenAI refuses in a chat that passed `strictChatFields`. */
export function refuseByOpenAi(body: JsonObject): void {
  refuseUnknown(body, strictChatFields)
  refuseIdleStreamOptions(body)
  refuseIdleLogprobs(body)
  refuseBounds(body)
  refuseLogitBias(body['logit_bias'])
  refuseMetadata(body['metadata'])
  refuseModalities(body['modalities'])
  refuseTools(body)
  refuseChoice(body)
  refuseFormat(body)
  refuseStrictMessages(body['messages'])
}

function refuseIdleLogprobs(body: JsonObject): void {
  if (isGiven(body['top_logprobs']) && body['logprobs'] !== true) {
    throw onlyWith('top_logprobs', "'logprobs' is enabled", null)
  }
}

function refuseBounds(body: JsonObject): void {
  const fields = ['max_tokens', 'max_completion_tokens'] as const
  for (const field of fields) {
    const most = body[field]
    if (most === 0) throw outOfBounds(field, 'an integer', 'below', 1, most)
  }
  if (fields.every((field) => isGiven(body[field]))) {
    const message = "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported."
    throw refusal(message, 'max_tokens', 'invalid_parameter_combination')
  }
}

function refuseModalities(modalities: unknown): void {
  if (!Array.isArray(modalities)) return
  for (const [at, modality] of modalities.entries())
    refuseOthers(`modalities[${at}]`, modality, ['text', 'audio'])
}

function refuseTools({ tools, functions }: JsonObject): void {
  if (isGiven(functions) && isGiven(tools)) {
    const message = "Invalid parameter: 'functions' and 'tools' cannot both be specified."
    throw refusal(message, 'functions', 'invalid_parameter_combination')
  }
  if (Array.isArray(functions)) {
    if (functions.length === 0) throw emptyArray('functions')
    for (const [at, one] of functions.entries()) refuseFunction(`functions[${at}]`, one)
  }
  if (!Array.isArray(tools)) return
  if (tools.length === 0) throw emptyArray('tools')
  for (const [at, tool] of tools.entries()) {
    const { type, function: described, custom } = tool as JsonObject
    refuseOthers(`tools[${at}].type`, type, ['function', 'custom'])
    if (type === 'custom' && !isObject(custom)) throw missing(`tools[${at}].custom`)
    refuseFunction(`tools[${at}].${spell(type)}`, type === 'custom' ? custom : described)
  }
}

function refuseFunction(param: string, described: unknown): void {
  const name = isObject(described) ? described['name'] : undefined
  if (!isGiven(name)) throw missing(`${param}.name`)
  refuseName(`${param}.name`, name, nameLetters)
}

function refuseChoice(body: JsonObject): void {
  const { tools, tool_choice: choice, parallel_tool_calls: parallel, functions, function_call: call } = body
  refuseOthers('tool_choice', choice, ['none', 'auto', 'required'])
  if (!isGiven(tools)) {
    if (isGiven(choice) && choice !== 'none') throw onlyWith('tool_choice', "'tools' are specified")
    if (isGiven(parallel)) throw onlyWith('parallel_tool_calls', "'tools' are specified")
  }
  refuseOthers('function_call', call, ['none', 'auto'])
  if (!isGiven(functions) && isGiven(call) && call !== 'none') {
    throw onlyWith('function_call', "'functions' are specified")
  }
  const named = namedIn(choice)
  if (named.some((name) => !namesOf(tools).includes(name))) throw noSuchTool('tool_choice', 'tools')
  if (isObject(call) && !namesOf(functions).includes(call['name']))
    throw noSuchTool('function_call', 'functions')
}

/** The tools that a choice is limited to; empty if it is not limited. */
function namedIn(choice: unknown): readonly unknown[] {
  if (!isObject(choice)) return []
  const { type, allowed_tools: allowed } = choice
  refuseOthers('tool_choice.type', type, ['function', 'custom', 'allowed_tools'])
  if (type !== 'allowed_tools') return namesOf([choice])
  return isObject(allowed) ? namesOf(allowed['tools']) : []
}

function namesOf(tools: unknown): readonly unknown[] {
  if (!Array.isArray(tools)) return []
  return tools.filter(isObject).map((tool) => {
    const described = tool['function'] ?? tool['custom'] ?? tool
    return isObject(described) ? described['name'] : undefined
  })
}

function refuseFormat({ response_format: format, messages }: JsonObject): void {
  if (!isObject(format)) return
  const { type, json_schema: schema } = format
  refuseOthers('response_format.type', type, ['text', 'json_object', 'json_schema'])
  if (type === 'json_schema') {
    const name = isObject(schema) ? schema['name'] : undefined
    if (!isGiven(name)) throw missing('response_format.json_schema.name')
    refuseName('response_format.json_schema.name', name, nameLetters)
  }
  if (type === 'json_object' && !mentionsJson(messages)) {
    const message =
      "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'."
    throw refusal(message, 'messages', null)
  }
}

function mentionsJson(messages: unknown): boolean {
  return Array.isArray(messages) && messages.some((message) => /json/i.test(textOf(message)))
}

function textOf(message: unknown): string {
  const content = isObject(message) ? message['content'] : undefined
  const parts: readonly unknown[] = Array.isArray(content) ? content : [content]
  return parts
    .map((part) => (isObject(part) ? part['text'] : part))
    .filter(isText)
    .join('\n')
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null
}

function noSuchTool(param: string, list: string): Failure {
  return refusal(
    `Invalid value for '${param}': it names a function that is not in '${list}'.`,
    param,
    'invalid_value',
  )
}

function onlyWith(param: string, condition: string, code: string | null = 'invalid_value'): Failure {
  if (code === null)
    return refusal(`The '${param}' parameter is only allowed when ${condition}.`, param, null)
  return refusal(`Invalid value for '${param}': '${param}' is only allowed when ${condition}.`, param, code)
}

function emptyArray(param: string): Failure {
  const message =
    `Invalid '${param}': empty array. ` +
    `Expected an array with minimum length 1, but got an empty array instead.`
  return refusal(message, param, 'empty_array')
}

function refusal(message: string, param: string, code: string | null): Failure {
  return new Failure('invalid_request', message, { param, code })
}
