import { prose } from '../upstream/prose.ts'
import type { Target } from './targets.ts'

/** The request most calls resemble; what warms a server up, and what its memory is watched under. */
export const smallChat: JsonScenario = chat('chat, 0.5 KB', 512, { connections: 64, ratePerSecond: 1000 })

/**
 * What is asked of every target. The chat scenarios are like for like: the same bytes go to all three. The other two
 * are the gateway's own routes, where it translates between formats; beside them stands what the pass-through makes of
 * the upstream's route, with a body of the same size.
 */
export const jsonScenarios: readonly JsonScenario[] = [
  smallChat,
  chat('chat, 16 KB', 16 * 1024, { connections: 64, ratePerSecond: 500 }),
  chat('chat, 1 MB', 1024 * 1024, { connections: 16, ratePerSecond: 40 }),
  {
    title: '/inference to Pandotate, 0.5 KB',
    upstream: { path: '/api/inference', body: fill(512, pandotateBody) },
    gateway: { path: '/inference', body: fill(512, pandotateBody) },
    connections: 64,
    ratePerSecond: 1000,
  },
  {
    title: '/v1/completions to Pandotate, 0.5 KB',
    upstream: { path: '/api/inference', body: fill(512, pandotateBody) },
    gateway: { path: '/v1/completions', body: fill(512, completionsBody) },
    connections: 64,
    ratePerSecond: 1000,
  },
]

/** Streams of so many chunks, one each so many milliseconds; 0 is as fast as the target takes them. */
export const streamScenarios: readonly StreamScenario[] = [
  streams('40 streams, a chunk each 5 ms', { concurrent: 40, chunks: 100, pacingMs: 5 }),
  streams('16 streams, as fast as possible', { concurrent: 16, chunks: 1000, pacingMs: 0 }),
]

/** Streams that hardly say anything, to be looked at while they are open. */
export const quietStreams: StreamScenario = streams('open streams', {
  concurrent: 1000,
  chunks: 120,
  pacingMs: 1000,
})

/** The part of a scenario that is this target's. */
export function postFor(scenario: JsonScenario | StreamScenario, target: Pick<Target, 'routes'>): Post {
  return scenario[target.routes]
}

export type JsonScenario = Posts & {
  readonly title: string
  /** Open at a time to saturate a target, over all load clients. */
  readonly connections: number
  /** At which latency is measured: well below what any of the targets can do. */
  readonly ratePerSecond: number
}

export type StreamScenario = Posts & {
  readonly title: string
  readonly concurrent: number
  readonly chunks: number
  readonly pacingMs: number
}

/** One for those who take the upstream's routes, one for the gateway. */
type Posts = { readonly upstream: Post; readonly gateway: Post }

export type Post = { readonly path: string; readonly body: string }

function chat(
  title: string,
  bodyBytes: number,
  pressure: Pick<JsonScenario, 'connections' | 'ratePerSecond'>,
): JsonScenario {
  const post = { path: '/v1/chat/completions', body: fill(bodyBytes, chatBody) }
  return { title, upstream: post, gateway: post, ...pressure }
}

function streams(
  title: string,
  flow: Pick<StreamScenario, 'concurrent' | 'chunks' | 'pacingMs'>,
): StreamScenario {
  const asked = {
    ...chatBody(prose(200)),
    model: `stream-${flow.chunks}-${flow.pacingMs}`,
    stream: true,
    stream_options: { include_usage: true },
  }
  const post = { path: '/v1/chat/completions', body: JSON.stringify(asked) }
  return { title, upstream: post, gateway: post, ...flow }
}

function chatBody(text: string) {
  return {
    model: 'bench-8b',
    messages: [
      { role: 'system', content: 'You are a careful assistant. Answer in one paragraph.' },
      { role: 'user', content: text },
    ],
    max_tokens: 128,
    temperature: 0.7,
  }
}

function pandotateBody(text: string) {
  return { model: 'pandotate-7b', prompt: text, max_tokens: 128, temperature: 0.7 }
}

function completionsBody(text: string) {
  return { model: 'pandotate-7b', prompt: text, max_tokens: 128, temperature: 0.7 }
}

/** The JSON of a body, its text as long as makes the whole so many bytes. */
function fill(bytes: number, body: (text: string) => object): string {
  return JSON.stringify(body(prose(bytes - JSON.stringify(body('')).length)))
}
