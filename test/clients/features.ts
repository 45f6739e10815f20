import { setTimeout } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import type { Client } from './client.ts'
import type { Stage } from './harness.ts'

/** What a client is seen to do. Its program says what it saw; the upstream and the records say what it did. */
export type Feature = {
  readonly name: FeatureName
  /** The head of its column. */
  readonly title: string
  /** For the documentation. */
  readonly means: string
  /** What is wrong with it; undefined: nothing. */
  readonly fault: (
    seen: unknown,
    client: Client,
    stage: Stage,
  ) => Promise<string | undefined> | string | undefined
  /** What the cell says when nothing is wrong. */
  readonly cell?: string
}

export type FeatureName =
  | 'completions'
  | 'chat'
  | 'stream'
  | 'abort'
  | 'tools'
  | 'structured'
  | 'embeddings'
  | 'responses'
  | 'errors'
  | 'cut'
  | 'retries429'
  | 'retries503'
  | 'inference'

const said = 'one two three'

/** In the order of the table. */
export const features: readonly Feature[] = [
  {
    name: 'completions',
    title: 'completions',
    means: 'a text completion',
    fault: (seen) => unlike(seen, said),
  },
  { name: 'chat', title: 'chat', means: 'a chat, or a message', fault: (seen) => unlike(seen, said) },
  {
    name: 'stream',
    title: 'stream',
    means: 'a stream, piece by piece',
    fault: (seen) => unlike(seen, ['one', ' two', ' three']),
  },
  {
    name: 'abort',
    title: 'abort',
    means: 'the client leaves a stream after two pieces, and the upstream is left in turn',
    fault: abortFault,
  },
  {
    name: 'tools',
    title: 'tools',
    means: 'a tool is called, and its result answered',
    fault: (seen) => unlike(seen, { called: 'weather', input: { city: 'x', days: 1 }, answered: said }),
  },
  {
    name: 'structured',
    title: 'structured',
    means: 'an answer by a JSON schema, which the upstream was sent',
    fault: structuredFault,
  },
  {
    name: 'embeddings',
    title: 'embeddings',
    means: 'vectors for three texts, in their order, in the encoding the client asks for',
    fault: embeddingsFault,
  },
  {
    name: 'responses',
    title: 'responses',
    means: 'OpenAI’s responses, streamed',
    fault: (seen) => unlike(seen, said),
  },
  {
    name: 'errors',
    title: 'errors',
    means: 'the client’s own error class for 400, 401, 404, 429, 502 and 503',
    fault: (seen, { raises }) => unlike(seen, raises),
  },
  {
    name: 'cut',
    title: 'cut',
    means: 'a stream that breaks off after two pieces is an error, not an end',
    fault: (seen, { cut }) => unlike(seen, { pieces: ['one', ' two'], raised: cut }),
  },
  {
    name: 'retries429',
    title: 'after 429',
    means: 'how often the client asks by itself while it is told to wait, until it is answered',
    fault: (seen, _client, stage) => retriesFault(seen, stage, 'limited', [429, 429, 200]),
    cell: '3 tries',
  },
  {
    name: 'retries503',
    title: 'after 503',
    means: 'the same, of an upstream that is overloaded',
    fault: (seen, _client, stage) => retriesFault(seen, stage, 'sim-flaky-2-echo', [503, 503, 200]),
    cell: '3 tries',
  },
  {
    name: 'inference',
    title: '`/inference`',
    means: 'that path as the base URL',
    fault: (seen) => unlike(seen, said),
  },
]

function unlike(seen: unknown, expected: unknown): string | undefined {
  if (isDeepStrictEqual(seen, expected)) return undefined
  return `saw ${JSON.stringify(seen)} instead of ${JSON.stringify(expected)}`
}

async function abortFault(seen: unknown, _client: Client, stage: Stage): Promise<string | undefined> {
  const { outcome } = await stage.recorded(({ model }) => model === 'sim-stall-2-echo')
  const patience = AbortSignal.timeout(60_000)
  while (stage.upstream.abandoned() === 0 && !patience.aborted) await setTimeout(5)
  return unlike(seen, ['one', ' two']) ?? unlike({ outcome, abandoned: stage.upstream.abandoned() }, left)
}

const left = { outcome: 'left', abandoned: 1 }

function structuredFault(seen: unknown, _client: Client, { upstream }: Stage): string | undefined {
  const asked = upstream.requests.map(({ body }) => body)
  const isAsked = asked.some((body) => body.includes('"json_schema"') && body.includes('"city"'))
  return unlike(seen, { city: 'Paris', days: 2 }) ?? (isAsked ? undefined : 'the upstream was sent no schema')
}

/** Through base64 and back a number keeps 24 bits. */
async function embeddingsFault(seen: unknown, _client: Client, stage: Stage): Promise<string | undefined> {
  const response = await fetch(`${stage.url}/v1/embeddings`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${stage.key}` },
    body: JSON.stringify({ model: 'sim-echo', input: ['first text', 'second text', 'third'] }),
  })
  const { data } = (await response.json()) as { data: readonly { embedding: readonly number[] }[] }
  return unlike(rounded(seen), rounded(data.map(({ embedding }) => embedding)))
}

function rounded(vectors: unknown): readonly string[] {
  if (!Array.isArray(vectors)) return []
  return vectors.map((vector: readonly number[]) => vector.map((value) => value.toFixed(5)).join(' '))
}

function retriesFault(
  seen: unknown,
  { records }: Stage,
  model: string,
  statuses: readonly number[],
): string | undefined {
  const had = records.filter((record) => record.model === model).map(({ status }) => status)
  return unlike(seen, said) ?? unlike(had, statuses)
}
