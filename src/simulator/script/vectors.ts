import { hash } from 'node:crypto'
import { isObject, type JsonObject, spell } from '../../core/model/json/json.ts'
import { countWords } from './answer.ts'

/** A reply and its billed tokens. */
export type VectorAnswer = { readonly reply: JsonObject; readonly promptTokens: number }

/**
 * `/embeddings`: a unit vector with `dimensions` numbers for each input, always the same for the same text. No usage is
 * reported. Undefined if the input is not text.
 */
export function embeddingsFor(
  { input, model }: JsonObject,
  requestId: string,
  dimensions = defaultDimensions,
): VectorAnswer | undefined {
  const texts: readonly unknown[] = Array.isArray(input) ? input : [input]
  if (!isTexts(texts)) return undefined
  const data = texts.map((text, index) => ({
    index,
    object: 'embedding',
    embedding: vectorOf(text, dimensions),
  }))
  const promptTokens = tokensIn(texts)
  return { reply: { object: 'list', data, model, request_id: requestId }, promptTokens }
}

/** `/rerank`: the documents with the most words of the query first. Undefined if the input is not text. */
export function rerankFor(body: JsonObject, requestId: string): VectorAnswer | undefined {
  const { query, documents, model, top_n: most, return_documents: returns, rank_fields: fields } = body
  if (typeof query !== 'string' || !Array.isArray(documents)) return undefined
  const texts = documents.map((document: unknown) => documentText(document, fields))
  if (!isTexts(texts)) return undefined
  const results = texts
    .map((text: string, index) => ({
      index,
      relevance_score: sharedWords(query, text),
      ...(returns === true ? { document: isObject(documents[index]) ? documents[index] : { text } } : {}),
    }))
    .sort((one, other) => other.relevance_score - one.relevance_score)
    .slice(0, typeof most === 'number' ? most : texts.length)
  const promptTokens = tokensIn([query]) * texts.length + tokensIn(texts)
  const usage = { prompt_tokens: promptTokens, completion_tokens: 0, total_tokens: promptTokens }
  return { reply: { object: 'rerank', id: requestId, model, results, usage }, promptTokens }
}

function isTexts(texts: readonly unknown[]): texts is readonly string[] {
  return texts.length > 0 && texts.every((text) => typeof text === 'string')
}

function tokensIn(texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + countWords(text), 0)
}

const defaultDimensions = 16

/** Each hash of the text provides 16 numbers. */
function vectorOf(text: string, dimensions: number): number[] {
  const values: number[] = []
  for (let block = 0; values.length < dimensions; block++) {
    const bytes = hash('sha256', block === 0 ? text : `${block}:${text}`, 'buffer')
    for (let at = 0; at < bytes.length; at += 2) values.push(bytes.readInt16LE(at))
  }
  const kept = values.slice(0, dimensions)
  const length = Math.hypot(...kept) || 1
  return kept.map((value) => value / length)
}

/** The text of a document, or of the requested fields of an object. */
function documentText(document: unknown, fields: unknown): unknown {
  if (!isObject(document)) return document
  const counted: readonly unknown[] = Array.isArray(fields) ? fields : Object.keys(document)
  return counted.map((field) => spell(document[spell(field)] ?? '')).join('\n')
}

/** The share of the query's words in a text. */
function sharedWords(query: string, text: string): number {
  const wanted = new Set(wordsIn(query))
  if (wanted.size === 0) return 0
  return wanted.intersection(new Set(wordsIn(text))).size / wanted.size
}

function wordsIn(text: string): readonly string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []
}
