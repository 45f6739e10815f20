import type { AnyCall, Call, Choice, Delta } from '../model/call.ts'
import { Failure } from '../model/failure.ts'
import { isObject, type JsonObject, nearest, spell } from '../model/json/json.ts'
import { JsonText } from '../model/json/json-text.ts'

/** How many answers are generated per prompt: `n`, or `best_of` if it is more. */
export function candidatesOf(kind: AnyCall['kind'], body: JsonObject): number {
  const choices = choicesOf(body)
  const { best_of: bestOf } = body
  return kind === 'text' && typeof bestOf === 'number' ? Math.max(bestOf, choices) : choices
}

/** How many answers per prompt are returned. */
export function choicesOf({ n }: JsonObject): number {
  return typeof n === 'number' ? n : 1
}

/** True if only the best of several candidates are returned. */
export function isRanked({ kind, body: { value: body } }: Pick<Call, 'kind' | 'body'>): boolean {
  return candidatesOf(kind, body) > choicesOf(body)
}

/**
 * A body that asks for every candidate, with the logprobs that rank them. The prompt is echoed by the upstream only if
 * its own logprobs are requested; otherwise it is added here.
 */
export function candidateBody({ best_of: _bestOf, ...body }: JsonObject): JsonObject {
  if (typeof body['logprobs'] === 'number') return body
  // Some servers accept 0 for none.
  const request: JsonObject = { ...body, logprobs: 1 }
  if (isEchoedHere(body)) delete request['echo']
  return request
}

/**
 * The best choices of a whole reply with all candidates: `n` per prompt by mean logprob, best first. Throws
 * `unsupported` if the upstream gave no logprobs.
 */
export function rankChoices({ value: chunk }: Delta, { kind, body: { value: body } }: Call): Delta {
  const candidates = candidatesOf(kind, body)
  const wanted = choicesOf(body)
  const prompts = promptsOf(body['prompt'])
  const choices = prompts.flatMap((prompt, promptIndex): readonly Choice[] => {
    const from = promptIndex * candidates
    const own = chunk.choices.filter(({ index }) => index >= from && index < from + candidates)
    const best = own
      .map((choice) => ({ choice, score: meanLogprob(choice, promptPart(prompt, body)) }))
      .toSorted((one, other) => other.score - one.score)
    return best.slice(0, wanted).map(({ choice }, at) => asRequested(choice, from / candidates, at))
  })
  return JsonText.of({ ...chunk, choices })

  function asRequested(choice: Choice, promptIndex: number, at: number): Choice {
    const index = promptIndex * wanted + at
    if (typeof body['logprobs'] === 'number') return { ...choice, index }
    const prompt = prompts[promptIndex]
    const echoed = isEchoedHere({ ...body, prompt }) && typeof prompt === 'string' ? prompt : ''
    return { ...choice, index, text: echoed + (choice.text ?? ''), logprobs: null }
  }
}

/** The error for `best_of` at an upstream without logprobs. */
export function unrankable(provider?: string): Failure {
  const message = "Unsupported parameter: 'best_of' needs logprobs to rank by, and the upstream gives none."
  return new Failure('unsupported', message, { param: 'best_of', provider })
}

/** Turns a refusal of logprobs, which the caller did not request, into one of `best_of`. */
export function aboutBestOf(thrown: unknown, { body: { value: body } }: Call): unknown {
  const isOwn = typeof body['logprobs'] !== 'number'
  if (!isOwn || !(thrown instanceof Failure) || thrown.kind !== 'unsupported') return thrown
  return thrown.param === 'logprobs' ? unrankable(thrown.provider) : thrown
}

/** Token ids are not text that could be put before an answer. */
function isEchoedHere({ echo, prompt }: JsonObject): boolean {
  return echo === true && promptsOf(prompt).every((each) => typeof each === 'string')
}

function promptsOf(prompt: unknown): readonly unknown[] {
  return Array.isArray(prompt) && typeof prompt[0] !== 'number' ? prompt : [prompt]
}

/** The part of a candidate that is the prompt, in characters or in tokens. */
type PromptPart = { readonly characters: number; readonly tokens: number }

function promptPart(prompt: unknown, body: JsonObject): PromptPart {
  const isEchoed = body['echo'] === true && (typeof body['logprobs'] === 'number' || !isEchoedHere(body))
  if (!isEchoed) return { characters: 0, tokens: 0 }
  if (typeof prompt === 'string') return { characters: prompt.length, tokens: 0 }
  return { characters: 0, tokens: Array.isArray(prompt) ? prompt.length : 0 }
}

/** Without the prompt, which is the same for all candidates. */
function meanLogprob({ logprobs }: Choice, { characters, tokens: tokensBefore }: PromptPart): number {
  const { tokens, token_logprobs: values } = isObject(logprobs) ? logprobs : {}
  if (!Array.isArray(values)) throw unrankable()
  let first = tokensBefore
  for (let length = 0; length < characters && Array.isArray(tokens) && first < tokens.length; first++) {
    length += spell(tokens[first]).length
  }
  const scores = values.slice(first).map(nearest)
  const counted = scores.filter((value) => typeof value === 'number')
  // An empty answer has a neutral score.
  if (counted.length === 0) return Number.NEGATIVE_INFINITY
  return counted.reduce((sum, value) => sum + value, 0) / counted.length
}
