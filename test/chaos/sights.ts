import { strict as assert } from 'node:assert'
import { isObject, type JsonObject } from '../../src/core/model/json/json.ts'
import type { Kind } from '../../src/core/model/terms.ts'
import { eventsOf, type Heard } from './caller.ts'
import { secrets } from './secrets.ts'
import { answerCanary, answerText, answerWords } from './upstream/answer.ts'

/** What a caller must see. */
export type Sight =
  /** The answer, every word of it, once. */
  | 'whole'
  /** An error, and nothing of an answer. */
  | { readonly status: number; readonly code: string | null }
  /** So many words, then an error in the stream, and no end. */
  | { readonly words: number; readonly code: string | null }

/** Throws unless that is what the caller heard. */
export function see(heard: Heard, sight: Sight, kind: Kind, stream: boolean): void {
  assert(heard.isEnded, 'the answer was cut')
  const told = JSON.stringify(heard.headers)
  for (const secret of [...secrets, answerCanary]) assert(!told.includes(secret), `${secret} is in a header`)
  for (const secret of secrets) assert(!heard.body.includes(secret), `${secret} was told to the caller`)
  if (sight === 'whole') seeWhole(heard, kind, stream)
  else if ('words' in sight) seeBroken(heard, sight, kind)
  else seeError(heard, sight)
}

/**
 * What became of a call of which anything may: answered, refused or broken off. Throws where a part of an answer is
 * told to be the whole, or a word is wrong.
 */
export function seeHonest(heard: Heard, kind: Kind, stream: boolean): 'answered' | 'refused' | 'broken' {
  const { error } = heard.status === 200 && !stream ? {} : lastOf(heard)
  if (error === undefined) {
    see(heard, 'whole', kind, stream)
    return 'answered'
  }
  const code = isObject(error) ? String(error['code']) : null
  if (heard.status !== 200) {
    see(heard, { status: heard.status, code }, kind, stream)
    return 'refused'
  }
  const chunks = eventsOf(heard).map((event) => JSON.parse(event) as JsonObject)
  const said = textOf(chunks)
  const counts = Array.from({ length: answerWords.length + 1 }, (_, count) => count)
  const words = counts.find((count) => answerWords.slice(0, count).join('') === said) ?? 0
  see(heard, { words, code }, kind, stream)
  return 'broken'
}

/** The text of a stream so far. */
export function textOf(chunks: readonly JsonObject[]): string {
  return choicesOf(chunks)
    .map(({ text, delta }) => text ?? (isObject(delta) ? (delta['content'] ?? '') : ''))
    .join('')
}

/** The last thing that was told, when it is an object. */
function lastOf(heard: Heard): JsonObject {
  const last = heard.status === 200 ? (eventsOf(heard).at(-1) ?? '{}') : heard.body
  return last === '[DONE]' ? {} : (JSON.parse(last) as JsonObject)
}

function seeWhole(heard: Heard, kind: Kind, stream: boolean): void {
  assert.equal(heard.status, 200, heard.body)
  if (stream) {
    const events = eventsOf(heard)
    assert.equal(events.at(-1), '[DONE]', 'the stream has no terminator')
    const chunks = events.slice(0, -1).map((event) => JSON.parse(event) as JsonObject)
    assert.equal(textOf(chunks), answerText)
    seeOneAnswer(chunks, kind)
    assert.equal(reasonsOf(chunks).length, 1, 'there must be one finish_reason')
    assert.equal(chunks.filter(({ usage }) => isObject(usage)).length, 1, 'usage must be told once')
    return
  }
  assert.match(heard.headers['content-type'] ?? '', /^application\/json/)
  const { choices } = JSON.parse(heard.body) as { choices: JsonObject[] }
  const [choice = {}] = choices
  const { message } = choice
  assert.equal(isObject(message) ? message['content'] : choice['text'], answerText)
  assert.equal(choice['finish_reason'], 'stop')
}

function seeBroken(heard: Heard, { words, code }: { words: number; code: string | null }, kind: Kind): void {
  assert.equal(heard.status, 200, heard.body)
  const events = eventsOf(heard)
  assert(!events.includes('[DONE]'), 'a broken stream has a terminator')
  const chunks = events.map((event) => JSON.parse(event) as JsonObject)
  const error = chunks.pop()?.['error']
  assert(isObject(error), 'the last event is no error')
  assert.equal(error['code'], code)
  assert.equal(textOf(chunks), answerWords.slice(0, words).join(''))
  assert.deepEqual(reasonsOf(chunks), [], 'a broken stream has a finish_reason')
  if (words > 0) seeOneAnswer(chunks, kind)
}

function seeError(heard: Heard, { status, code }: { status: number; code: string | null }): void {
  assert.equal(heard.status, status, heard.body)
  assert.match(heard.headers['content-type'] ?? '', /^application\/json/)
  const { error } = JSON.parse(heard.body) as { error: JsonObject }
  assert.equal(error['code'], code)
  assert.deepEqual(Object.keys(error).toSorted(), ['code', 'message', 'param', 'type'])
  assert(!heard.body.includes(answerCanary), 'an error quotes the answer')
}

/** However many upstreams it was made of. */
function seeOneAnswer(chunks: readonly JsonObject[], kind: Kind): void {
  assert.equal(new Set(chunks.map(({ id }) => id)).size, 1, 'a stream has one id')
  const roles = choicesOf(chunks).filter(({ delta }) => isObject(delta) && delta['role'] !== undefined)
  assert.equal(roles.length, kind === 'chat' ? 1 : 0, 'a role is told once, in a chat')
}

function reasonsOf(chunks: readonly JsonObject[]): readonly unknown[] {
  return choicesOf(chunks)
    .map(({ finish_reason: reason }) => reason)
    .filter((reason) => reason !== null)
}

function choicesOf(chunks: readonly JsonObject[]): readonly JsonObject[] {
  return chunks.flatMap(({ choices }) => (Array.isArray(choices) ? choices.filter(isObject) : []))
}
