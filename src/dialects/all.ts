import { anthropic } from './anthropic.ts'
import { chat } from './chat.ts'
import { completions } from './completions.ts'
import type { Dialect, RelayDialect } from './dialect.ts'
import { embeddings } from './embeddings.ts'
import { fim } from './fim.ts'
import { inference } from './inference.ts'
import { rerank } from './rerank.ts'
import { createResponses, type ResponsesParts } from './responses.ts'

/** Every dialect that needs nothing but a request and its answer. */
export const dialects: readonly Dialect[] = [inference, completions, chat, anthropic, fim]

/** Every dialect that is served. */
export function dialectsWith(parts: ResponsesParts): readonly Dialect[] {
  return [...dialects, createResponses(parts)]
}

/** Every wire format of requests that are passed on as they are. */
export const relays: readonly RelayDialect[] = [embeddings, rerank]
