import { isObject, type JsonObject, numberOf } from '../../core/model/json/json.ts'
import type { Kind } from '../../core/model/terms.ts'

export type Fault = { readonly message: string; readonly param: string }

/**
 * What Together refuses that OpenAI accepts: it wants a list of stop strings, logprobs as a number, one prompt, and
 * none of OpenAI's newer roles. It ignores unknown fields.
 */
export function faultIn(body: JsonObject, kind: Kind): Fault | undefined {
  const wanted = [...common, ...(kind === 'chat' ? ofChats : ofCompletions)]
  return wanted.find(({ param, isFine }) => !isFine(body[param]))
}

type Want = Fault & { readonly isFine: (value: unknown) => boolean }

const common: readonly Want[] = [
  want('stop', 'must be a list of strings', orAbsent(isListOfText)),
  want('logprobs', 'must be an integer from 0 to 20', orAbsent(isWithin(0, 20))),
  want('n', 'must be an integer from 1 to 128', orAbsent(isWithin(1, 128))),
]

const ofChats: readonly Want[] = [
  want('messages', 'must be a list of messages with roles that are known', isListOfMessages),
]

const ofCompletions: readonly Want[] = [
  want('prompt', 'must be a string', (value) => typeof value === 'string'),
]

function want(param: string, rule: string, isFine: Want['isFine']): Want {
  return { param, message: `Input validation error: ${param} ${rule}`, isFine }
}

function orAbsent(isFine: Want['isFine']): Want['isFine'] {
  return (value) => value === undefined || value === null || isFine(value)
}

function isListOfText(value: unknown): boolean {
  return Array.isArray(value) && value.every((word) => typeof word === 'string')
}

function isWithin(least: number, most: number): Want['isFine'] {
  return (value) => Number.isInteger(value) && numberOf(value) >= least && numberOf(value) <= most
}

function isListOfMessages(value: unknown): boolean {
  return Array.isArray(value) && value.every((message) => isObject(message) && roles.has(message['role']))
}

const roles: ReadonlySet<unknown> = new Set(['system', 'user', 'assistant', 'tool', 'function'])
