import type { AnyCall } from '../model/call.ts'
import type { Deployment } from '../model/ports.ts'
import { costNanoUsd } from '../model/price.ts'
import { promptSizeOf, schemaTokens, type TokenMeasure } from './prompt-size.ts'
import { mostTokensIn } from './token-bound.ts'

/** The most that a call may use. */
export type UseBound = {
  /** Over all upstream requests of the call. */
  readonly promptTokens: number
  /** Over all its answers. */
  readonly outputTokens: number
}

/** The most that a call can cost at a deployment, in whole nano-USD; 0 if no price is known. */
export function boundNanoUsd({ price, clocks }: Pick<Deployment, 'price' | 'clocks'>, use: UseBound): number {
  const { promptTokens, outputTokens } = use
  const workedMs = Math.min(clocks.totalMs, timeSliceMs)
  const { inputNanoUsdPerMillion: input, cachedInputNanoUsdPerMillion: cachedInput } = price
  const isCachedDearer = input !== undefined && cachedInput !== undefined && cachedInput > input
  return (
    costNanoUsd(isCachedDearer ? { ...price, inputNanoUsdPerMillion: cachedInput } : price, {
      promptTokens,
      cachedTokens: 0,
      completionTokens: outputTokens,
      workedMs,
    }) ?? 0
  )
}

/** The largest count up to `most` that is within a bound. Found by bisection, because costs are rounded. */
export function mostWithin(most: number, isWithin: (count: number) => boolean): number {
  let least = 0
  let greatest = most
  while (least < greatest) {
    const middle = Math.ceil((least + greatest) / 2)
    if (isWithin(middle)) least = middle
    else greatest = middle - 1
  }
  return least
}

/** With billing by time, this much is held at once. */
export const timeSliceMs = 30_000

/** An upper bound of the prompt tokens: of all texts in the request that a template may put into the prompt. */
export function promptBound(call: AnyCall): number {
  const { exactTokens, textTokens } = promptSizeOf(call, mostTokens)
  return exactTokens + textTokens + otherTokens(call) + templateTokens
}

/** A template's own text: its preamble, and what it says of tools. */
const templateTokens = 32

/** An image, sound or file may take more, which is an overrun: its size is not known here. */
const mostTokens: TokenMeasure = { tokensIn: mostTokensIn, mediaTokens: 4096 }

/** Of fields such as `documents` or `response_format`. Numbers and flags of a request are not in its prompt. */
function otherTokens({ kind, body: { value: body } }: AnyCall): number {
  let tokens = 0
  for (const field in body) {
    const value = body[field]
    if (typeof value === 'number' || typeof value === 'boolean' || outside.has(field)) continue
    if (kind === 'rerank' && field === 'documents') continue
    tokens += schemaTokens(value, mostTokens)
  }
  return tokens
}

/** Counted as the prompt, or no part of it. */
const outside: ReadonlySet<string> = new Set([
  ...['messages', 'prompt', 'input', 'tools', 'functions', 'query'],
  ...[
    'model',
    'models',
    'provider',
    'user',
    'metadata',
    'stop',
    'stream_options',
    'logit_bias',
    'modalities',
  ],
])

/** The caller's own bound for one answer, undefined if there is none: the larger of two, as upstreams read either. */
export function callersBound({ body: { value: body } }: AnyCall): number | undefined {
  const bounds = [body['max_tokens'], body['max_completion_tokens']].filter(isCount)
  return bounds.length === 0 ? undefined : Math.max(...bounds)
}

/** A bound that a request may give. */
export function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
