import type { JsonObject } from '../core/model/json/json.ts'
import { anthropic } from './anthropic/anthropic.ts'
import { inference } from './inference/inference.ts'
import { chat } from './openai/chat.ts'
import { completions } from './openai/completions.ts'
import { embeddings } from './openai/embeddings.ts'
import { fim } from './openai/fim.ts'
import { rerank } from './openai/rerank.ts'
import { createResponses, type ResponsesParts, responsesFormat } from './responses/responses.ts'
import { describeRequest } from './shared/describe-request.ts'
import type { Dialect, RelayDialect, WireFormat } from './shared/dialect.ts'

/** The dialects without state of their own. */
export const dialects: readonly Dialect[] = [inference, completions, chat, anthropic, fim]

/** All dialects, with the one that stores responses. */
export function dialectsWith(parts: ResponsesParts): readonly Dialect[] {
  return [...dialects, createResponses(parts)]
}

/** The wire formats of embeddings and rerank, whose requests are forwarded unchanged. */
export const relays: readonly RelayDialect[] = [embeddings, rerank]

/** All formats of calls, with the JSON Schema of their requests. */
export function describedFormats(): readonly (Named & { readonly request: JsonObject })[] {
  return [...dialects, ...relays, responsesFormat].map(({ name, path, prefixes, requestShape: shape }) => ({
    ...{ name, path, prefixes },
    request: shape === undefined ? { type: 'object', additionalProperties: true } : describeRequest(shape),
  }))
}

type Named = Pick<WireFormat<never>, 'name' | 'path' | 'prefixes'>
