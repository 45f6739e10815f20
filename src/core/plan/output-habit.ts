import type { AnyCall } from '../model/call.ts'
import { createLruMap } from '../model/lru-map.ts'

/** How long answers usually are, by model, dialect and kind of call: the expected output of a call. */
export interface OutputHabits {
  /**
   * In tokens, over all choices: the decayed mean, capped by what the call allows. 0 for relays, which generate
   * nothing.
   */
  expect(call: AnyCall): number
  /** Records the length of an answer, over all its choices. */
  learn(call: AnyCall, completionTokens: number): void
}

/** Keeps the `capacity` most recently used kinds of call. */
export function createOutputHabits(capacity = 1000): OutputHabits {
  const habits = createLruMap<Habit>(capacity)
  return {
    expect(call) {
      if (isRelay(call)) return 0
      const mean = habits.get(keyOf(call))?.mean ?? priorTokens
      return Math.min(mean, limitOf(call)) * choicesOf(call)
    },
    learn(call, completionTokens) {
      if (isRelay(call) || !(completionTokens >= 0)) return
      const { mean, seen } = habits.get(keyOf(call)) ?? { mean: priorTokens, seen: 0 }
      const share = Math.max(1 / (seen + 2), leastShare)
      habits.set(keyOf(call), {
        mean: mean + (completionTokens / choicesOf(call) - mean) * share,
        seen: seen + 1,
      })
    },
  }
}

/** How many choices are generated: each prompt has its own, and `best_of` generates all its candidates. */
export function choicesOf({ kind, body: { value: body } }: AnyCall): number {
  const requested = Math.max(countOf(body['n']), kind === 'text' ? countOf(body['best_of']) : 1)
  return requested * (kind === 'text' ? promptsIn(body['prompt']) : 1)
}

/** Tokens per choice, and the number of answers measured. */
type Habit = { readonly mean: number; readonly seen: number }

/** The prior where nothing was measured. It counts as one answer. */
const priorTokens = 256

/** The least weight of the latest answer: about twenty answers matter. */
const leastShare = 0.05

function isRelay({ kind }: AnyCall): boolean {
  return kind === 'embeddings' || kind === 'rerank'
}

function keyOf({ model, dialect, kind }: AnyCall): string {
  return `${kind} ${dialect} ${model}`
}

function limitOf({ body: { value: body } }: AnyCall): number {
  let limit = Number.POSITIVE_INFINITY
  for (const field of limits) {
    const requested = body[field]
    if (typeof requested === 'number' && requested >= 0 && requested < limit) limit = requested
  }
  return limit
}

const limits = ['max_tokens', 'max_completion_tokens'] as const

function countOf(value: unknown): number {
  return typeof value === 'number' && value > 1 ? value : 1
}

/** A list of token ids is one prompt. */
function promptsIn(prompt: unknown): number {
  if (!Array.isArray(prompt) || typeof prompt[0] === 'number') return 1
  return Math.max(prompt.length, 1)
}
