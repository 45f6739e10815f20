import { isObject, type JsonObject, numberOf } from '../../core/model/json/json.ts'
import type { Kind } from '../../core/model/terms.ts'

export type Fault = { readonly message: string; readonly param: string }

/**
 * The first error of a request that OpenAI would accept. Together requires a list of stop strings, logprobs as a
 * number, and a single prompt, and refuses OpenAI's newer roles. It ignores unknown fields.
 */
export function faultIn(body: JsonObject, kind: Kind): Fault | undefined {
  const wanted = [...common, ...(kind === 'chat' ? ofChats : ofCompletions)]
  return wanted.find(({ param, isValid }) => !isValid(body[param]))
}

type Requirement = Fault & { readonly isValid: (value: unknown) => boolean }

const common: readonly Requirement[] = [
  requirement('stop', 'must be a list of strings', orAbsent(isListOfText)),
  requirement('logprobs', 'must be an integer from 0 to 20', orAbsent(isWithin(0, 20))),
  requirement('n', 'must be an integer from 1 to 128', orAbsent(isWithin(1, 128))),
]

const ofChats: readonly Requirement[] = [
  requirement('messages', 'must be a list of messages with known roles', isListOfMessages),
]

const ofCompletions: readonly Requirement[] = [
  requirement('prompt', 'must be a string', (value) => typeof value === 'string'),
]

function requirement(param: string, rule: string, isValid: Requirement['isValid']): Requirement {
  return { param, message: `Input validation error: ${param} ${rule}`, isValid }
}

function orAbsent(isValid: Requirement['isValid']): Requirement['isValid'] {
  return (value) => value === undefined || value === null || isValid(value)
}

function isListOfText(value: unknown): boolean {
  return Array.isArray(value) && value.every((word) => typeof word === 'string')
}

function isWithin(least: number, most: number): Requirement['isValid'] {
  return (value) => Number.isInteger(value) && numberOf(value) >= least && numberOf(value) <= most
}

function isListOfMessages(value: unknown): boolean {
  return Array.isArray(value) && value.every((message) => isObject(message) && roles.has(message['role']))
}

const roles: ReadonlySet<unknown> = new Set(['system', 'user', 'assistant', 'tool', 'function'])
