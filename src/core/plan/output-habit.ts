import type { AnyCall } from '../model/call.ts'
import { createLruMap } from '../model/lru-map.ts'

/** How long answers are wont to be, by model, dialect and kind of call: what a call is expected to bring forth. */
export interface OutputHabits {
  /**
   * In tokens, over all choices: the decayed mean of what was brought forth, and no more than the call allows. A relay
   * brings forth none.
   */
  expect(call: AnyCall): number
  /** Takes in what an answer came to, over all its choices. */
  learn(call: AnyCall, completionTokens: number): void
}

/** Remembers as many kinds of call as `capacity` says, those that were last used. */
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

/** How many choices are brought forth: each prompt of several has its own, and of the best of many all are paid for. */
export function choicesOf({ kind, body: { value: body } }: AnyCall): number {
  const asked = Math.max(countOf(body['n']), kind === 'text' ? countOf(body['best_of']) : 1)
  return asked * (kind === 'text' ? promptsIn(body['prompt']) : 1)
}

/** Tokens per choice, and of how many answers. */
type Habit = { readonly mean: number; readonly seen: number }

/** Where nothing is known. It counts as one answer among those that were seen first. */
const priorTokens = 256

/** What the latest answer has of the mean at least: some twenty answers have a say. */
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
    const asked = body[field]
    if (typeof asked === 'number' && asked >= 0 && asked < limit) limit = asked
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
