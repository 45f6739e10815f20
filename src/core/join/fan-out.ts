import { candidateBody, candidatesOf, isRanked } from '../adapt/best-of.ts'
import { takesKind } from '../adapt/convert-kind.ts'
import type { Call, Choice, Chunk, Delta } from '../model/call.ts'
import { Failure } from '../model/failure.ts'
import type { JsonObject } from '../model/json/json.ts'
import { JsonText } from '../model/json/json-text.ts'
import type { Upstream } from '../model/ports.ts'

/** One prompt and one choice of a call that an upstream cannot take whole. */
export type Part = {
  readonly call: Call
  /** The index of its choice in the answer: prompt × n + choice; among candidates, prompt × candidates + choice. */
  readonly index: number
  /** Its prompt; the tokens of a prompt count once, however many choices it has. */
  readonly promptIndex: number
}

/**
 * Splits a call into parts of one prompt and one choice each, in the order of their index; for `best_of`, of one
 * candidate each, with the logprobs it is ranked by. Throws `invalid_request` for more than `choicesLimit` parts.
 */
export function splitCall(call: Call, choicesLimit: number): readonly [Part, ...Part[]] {
  const isBest = isRanked(call)
  const { n: _n, best_of: _bestOf, ...rest } = isBest ? candidateBody(call.body.value) : call.body.value
  const perPrompt = candidatesOf(call.kind, call.body.value)
  const prompts = call.kind === 'text' ? promptsOf(call.body.value['prompt']) : undefined
  const total = (prompts?.length ?? 1) * perPrompt
  if (total > choicesLimit) {
    throw new Failure(
      'invalid_request',
      `This request asks for ${total} completions (prompts × ${isBest ? 'best_of' : 'n'}); at most ${choicesLimit} are allowed.`,
      { param: isBest ? 'best_of' : perPrompt > 1 ? 'n' : 'prompt' },
    )
  }
  const part = (index: number): Part => {
    const promptIndex = Math.floor(index / perPrompt)
    const body: JsonObject = prompts === undefined ? rest : { ...rest, prompt: prompts[promptIndex] }
    return { call: { ...call, body: JsonText.of(body) }, index, promptIndex }
  }
  return [part(0), ...Array.from({ length: total - 1 }, (_, index) => part(index + 1))]
}

/** True when the call has exactly one prompt that is not in a list, and asks for one choice. */
export function isSinglePart(call: Call): boolean {
  if (candidatesOf(call.kind, call.body.value) > 1) return false
  const prompt = call.body.value['prompt']
  return call.kind === 'chat' || !Array.isArray(prompt) || isTokenIds(prompt)
}

/** True if the upstream takes one prompt and gives one choice per request for this kind of call. */
export function isSplitAt(call: Call, upstream: Pick<Upstream, 'kinds' | 'oneChoice'>): boolean {
  const { kind } = call
  const { oneChoice } = upstream
  if (takesKind(upstream, kind)) return oneChoice[kind]
  // A chat is one prompt.
  if (kind === 'chat') return oneChoice.text
  return oneChoice.chat || !isSinglePart({ ...call, body: call.body.with({ n: 1, best_of: 1 }) })
}

/** A part's delta with its index in the whole answer and the first part's id. */
export function placeDelta(delta: Delta, part: Part, identity: ChunkIdentity): Delta {
  const choices = delta.value.choices.map((choice): Choice => ({ ...choice, index: part.index }))
  return JsonText.of({ ...delta.value, ...identity, choices })
}

/** The fields that all chunks of one answer share. */
export type ChunkIdentity = Pick<Chunk, 'id' | 'created' | 'model'>

export function identityOf({ value: { id, created, model } }: Delta): ChunkIdentity {
  return { id, created, model }
}

function promptsOf(prompt: unknown): readonly unknown[] {
  return Array.isArray(prompt) && !isTokenIds(prompt) ? prompt : [prompt]
}

function isTokenIds(prompt: readonly unknown[]): boolean {
  return typeof prompt[0] === 'number'
}
