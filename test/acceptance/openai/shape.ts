import { faultsOf, type TypeName } from './types.ts'

/**
 * Holds what was received to OpenAI's schema, and to what its clients stumble over besides. Written by hand, from
 * the outside: none of the gateway's own code has a part in it. Each check throws an Error that names the fault.
 */

/** A whole answer of `/completions` or `/chat/completions`; of as many choices as requested, if that is told. */
export function checkReply(value: unknown, choiceCount?: number): void {
  const reply = objectAt(value, 'reply')
  checkNoError(reply)
  const isChat = checkIdentity(reply, 'chat.completion')
  checkType(isChat ? 'ChatCompletion' : 'Completion', reply)
  const choices = arrayAt(reply['choices'], 'choices')
  if (choiceCount !== undefined) must(choices.length === choiceCount, `${choices.length} choices`)
  for (const [at, choice] of choices.entries()) checkWholeChoice(choice, at, isChat)
  checkUsage(reply['usage'])
}

/** An error of any path but `/inference`: the envelope, with all of its keys and no other. */
export function checkError(value: unknown): void {
  const body = objectAt(value, 'body')
  must(Object.keys(body).join() === 'error', `keys beside error: ${Object.keys(body)}`)
  const error = objectAt(body['error'], 'error')
  must(Object.keys(error).join() === 'message,type,param,code', `keys of error: ${Object.keys(error)}`)
  must(typeof error['message'] === 'string' && error['message'] !== '', 'error.message')
  must(typeof error['type'] === 'string' && error['type'] !== '', 'error.type')
  must(isTextOrNull(error['param']), 'error.param')
  must(isTextOrNull(error['code']), 'error.code')
  checkType('ErrorObject', error)
}

/** A list of models, or one of them. */
export function checkModels(value: unknown): void {
  const body = objectAt(value, 'models')
  if (body['object'] === 'model') {
    checkModel(body)
    return
  }
  must(body['object'] === 'list', `object: ${body['object']}`)
  for (const model of arrayAt(body['data'], 'data')) checkModel(objectAt(model, 'model'))
}

/** An answer of `/inference`, an error of it included. */
export function checkInference(value: unknown): void {
  const body = objectAt(value, 'body')
  if ('error' in body) {
    must(typeof body['error'] === 'string' && body['error'] !== '', 'error')
    return
  }
  const known = ['model', 'output', 'usage', 'warning', 'slow']
  const stray = Object.keys(body).filter((key) => !known.includes(key))
  must(stray.length === 0, `unknown keys: ${stray}`)
  must(typeof body['model'] === 'string', 'model')
  must(typeof body['output'] === 'string', 'output')
  must(typeof body['slow'] === 'boolean', 'slow')
  must(body['warning'] === undefined || typeof body['warning'] === 'string', 'warning')
  checkUsage(body['usage'])
}

/** The four parts of every reply and chunk that say what it is. True for a chat. */
export function checkIdentity(body: Json, chatObject: string): boolean {
  const isChat = body['object'] === chatObject
  must(isChat || body['object'] === 'text_completion', `object: ${body['object']}`)
  must(
    typeof body['id'] === 'string' && body['id'].startsWith(isChat ? 'chatcmpl-' : 'cmpl-'),
    `id: ${body['id']}`,
  )
  must(isCount(body['created']), `created: ${body['created']}`)
  must(typeof body['model'] === 'string' && body['model'] !== '', `model: ${body['model']}`)
  return isChat
}

/** What OpenAI's own client takes it for. */
export function checkType(name: TypeName, value: unknown): void {
  const faults = faultsOf(name, value)
  must(faults.length === 0, faults.join('; '))
}

/** Clients in Go and Java take the key alone for an error, even when it is null. */
export function checkNoError(body: Json): void {
  must(!('error' in body), 'an error key in an answer')
}

export function checkUsage(value: unknown): void {
  const usage = objectAt(value, 'usage')
  const { prompt_tokens: prompt, completion_tokens: completion, total_tokens: total } = usage
  must(isCount(prompt) && isCount(completion) && isCount(total), `usage: ${JSON.stringify(usage)}`)
  must(Number(prompt) + Number(completion) === total, `usage does not add up: ${JSON.stringify(usage)}`)
}

export function checkFinishReason(reason: unknown, isChat: boolean): void {
  const known = isChat ? [...textReasons, 'tool_calls', 'function_call'] : textReasons
  must(known.includes(String(reason)), `finish_reason: ${reason}`)
}

export function checkLogprobs(logprobs: unknown): void {
  must(logprobs === undefined || logprobs === null || isJson(logprobs), 'logprobs')
}

export type Json = { readonly [key: string]: unknown }

export function must(condition: boolean, fault: string): void {
  if (!condition) throw new Error(`not OpenAI's shape: ${fault}`)
}

export function objectAt(value: unknown, place: string): Json {
  if (!isJson(value))
    throw new Error(`not OpenAI's shape: ${place} is not an object: ${JSON.stringify(value)}`)
  return value
}

export function arrayAt(value: unknown, place: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new Error(`not OpenAI's shape: ${place} is no array`)
  return value
}

export function isTextOrNull(value: unknown): boolean {
  return value === null || typeof value === 'string'
}

const textReasons = ['stop', 'length', 'content_filter']

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0
}

/** LangChain deals choices out by their place, never looking at their index: both must agree. */
function checkWholeChoice(value: unknown, at: number, isChat: boolean): void {
  const choice = objectAt(value, `choices[${at}]`)
  must(choice['index'] === at, `choices[${at}].index: ${choice['index']}`)
  checkFinishReason(choice['finish_reason'], isChat)
  checkLogprobs(choice['logprobs'])
  if (isChat) checkMessage(choice['message'])
  else must(typeof choice['text'] === 'string', `choices[${at}].text`)
}

function checkMessage(value: unknown): void {
  const message = objectAt(value, 'message')
  must(message['role'] === 'assistant', `role: ${message['role']}`)
  must(isTextOrNull(message['content']), 'message.content')
  if (message['tool_calls'] === undefined) return
  for (const call of arrayAt(message['tool_calls'], 'tool_calls')) {
    const { id, type, function: called } = objectAt(call, 'tool call')
    must(typeof id === 'string' && id !== '' && type === 'function', 'tool call')
    must(typeof objectAt(called, 'function')['arguments'] === 'string', 'arguments')
  }
}

function checkModel(model: Json): void {
  const { id, object, created, owned_by: owner } = model
  checkType('Model', model)
  must(typeof id === 'string' && object === 'model' && isCount(created) && typeof owner === 'string', 'model')
}
