import type { AnyCall } from '../../core/model/call.ts'
import { isObject, type JsonObject, spell } from '../../core/model/json/json.ts'
import type { TokenCounter, TokenEncoder } from '../../core/model/ports.ts'
import type { Router as ModelRouter } from '../../core/plan/router.ts'
import { countPrompt } from './count-tokens.ts'

export type CountingParts = {
  readonly router: Pick<ModelRouter, 'routeOf'>
  /** Estimates the tokens of text if the model's tokenizer is not available. */
  readonly counter: TokenCounter
  readonly encoder: TokenEncoder
}

/** The number of tokens; the tokens themselves if the model's own tokenizer is available; whether it is an estimate. */
export type Counted = { readonly count: number; readonly tokens?: unknown; readonly estimated: boolean }

/**
 * Counts the tokens of a call's input. The count of a chat is always an estimate, because the template's tokens are
 * unknown. Throws `model_not_found`.
 */
export async function countTokens(call: AnyCall, parts: CountingParts): Promise<Counted> {
  const {
    kind,
    model,
    body: { value: body },
  } = call
  switch (kind) {
    case 'chat':
      parts.router.routeOf(model)
      return { count: await countPrompt(body, parts.counter), estimated: true }
    case 'text':
      return await countTexts(body['prompt'], model, parts)
    case 'embeddings':
      return await countTexts(body['input'], model, parts)
    case 'rerank':
      return await countRerank(body, model, parts)
  }
}

/** Counts a text, token ids, or a list of either. */
async function countTexts(prompt: unknown, model: string, parts: CountingParts): Promise<Counted> {
  const { deployments } = parts.router.routeOf(model)
  // The names of the model at its deployments. If their tokenizers differ, there is no exact count.
  const models = new Set(deployments.map(({ upstreamModel = model }) => upstreamModel))
  if (!Array.isArray(prompt) || typeof prompt[0] === 'number') return await countOne(prompt, models, parts)
  const each: Counted[] = []
  for (const one of prompt) each.push(await countOne(one, models, parts))
  const count = each.reduce((sum, one) => sum + one.count, 0)
  if (each.some(({ estimated }) => estimated)) return { count, estimated: true }
  return { count, tokens: each.map(({ tokens }) => tokens), estimated: false }
}

/** Counts one text, or token ids, which are returned unchanged. */
async function countOne(
  prompt: unknown,
  models: ReadonlySet<string>,
  { encoder, counter }: CountingParts,
): Promise<Counted> {
  if (Array.isArray(prompt)) return { count: prompt.length, tokens: prompt, estimated: false }
  const text = typeof prompt === 'string' ? prompt : ''
  const tokens = await encoder.encode(models, text)
  if (tokens === undefined) return { count: await counter.count(text), estimated: true }
  return { count: tokens.length, tokens, estimated: false }
}

/**
 * Counts the query once per document. Documents that are objects are an estimate, because the model decides which
 * fields it reads.
 */
async function countRerank(body: JsonObject, model: string, parts: CountingParts): Promise<Counted> {
  const documents: readonly unknown[] = Array.isArray(body['documents']) ? body['documents'] : []
  const texts = documents.map((one) => (isObject(one) ? Object.values(one).map(spell).join('\n') : one))
  const read = await countTexts(texts, model, parts)
  const query = await countTexts(body['query'], model, parts)
  return {
    count: read.count + query.count * documents.length,
    estimated: read.estimated || query.estimated || documents.some(isObject),
  }
}
