import type { Call, Delta, RawDelta } from '../../src/core/model/call.ts'
import type { CallSignal } from '../../src/core/model/call-signal.ts'
import { type JsonObject, parseJson } from '../../src/core/model/json/json.ts'
import { JsonText } from '../../src/core/model/json/json-text.ts'
import type { Attempt, Clock, Deployment, Upstream } from '../../src/core/model/ports.ts'
import { unknownPrice } from '../../src/core/model/price.ts'
import { bodyOf, type CallChange } from './core/json-text.ts'

/** An upstream inside the process: each call to it plays the next script, the last one repeatedly. */
export type ScriptedUpstream = Upstream & { readonly calls: readonly ScriptedCall[] }

/** One call as the upstream saw it. */
export type ScriptedCall = {
  readonly call: Call
  readonly attempt: Attempt
  /** How many bursts were taken. */
  readonly taken: number
  /** True once the iteration has run its own clean-up. */
  readonly finalised: boolean
}

export type Script = readonly Step[]

/** What an upstream does next: gives the chunks that arrive together, waits, or throws. */
export type Step = (attempt: Attempt, call: Call) => Promise<Chunks> | Chunks

type Chunks = readonly JsonObject[]

/** Keeps an upstream's contract to the letter: it notices an abort wherever it is, and rejects with its reason. */
export function scriptedUpstream(
  scripts: readonly [Script, ...Script[]],
  change: Partial<Upstream> = {},
): ScriptedUpstream {
  const calls: MutableCall[] = []
  return {
    name: 'scripted',
    clocks: { connectMs: 5000, firstTokenMs: 30_000, idleMs: 30_000, totalMs: 600_000 },
    retry: { retries: 1, delayMs: 200 },
    oneChoice: { text: false, chat: false },
    knownModels: [],
    admits: () => true,
    close: async () => undefined,
    ...change,
    calls,
    send(call, attempt) {
      const seen: MutableCall = { call, attempt, taken: 0, finalised: false }
      const script = scripts[Math.min(calls.length, scripts.length - 1)] ?? []
      calls.push(seen)
      return play(script, seen)
    },
  }
}

/** Chunks that arrive in one read. */
export function burst(...chunks: readonly JsonObject[]): Step {
  return () => chunks
}

/** Each chunk in a burst of its own. */
export function bursts(...chunks: readonly JsonObject[]): Script {
  return chunks.map((chunk) => burst(chunk))
}

export function fail(thrown: unknown): Step {
  return () => {
    throw thrown
  }
}

/** Nothing more, for ever. */
export const silence: Step = ({ signal }) => aborted(signal)

/** Nothing for a while, by the timers of the test. */
export function pause(ms: number): Step {
  return async ({ signal }) => {
    let timer: NodeJS.Timeout | undefined
    const over = new Promise<Chunks>((resolve) => {
      timer = setTimeout(() => resolve([]), ms)
    })
    return await Promise.race([over, aborted(signal)]).finally(() => clearTimeout(timer))
  }
}

export function act(deed: (attempt: Attempt) => void): Step {
  return (attempt) => {
    deed(attempt)
    return []
  }
}

/** The clock that fake timers move. */
export const timersClock: Clock = { now: () => Date.now(), epochMs: () => Date.now() }

export function aDeployment(upstream: Upstream, change: Partial<Deployment> = {}): Deployment {
  const { clocks, retry } = upstream
  const usual = { upstreamModel: undefined, weight: 1, price: unknownPrice, traits: {} }
  return { id: `some-model@${upstream.name}`, upstream, clocks, retry, ...usual, ...change }
}

export function aCall({ body, source, ...change }: CallChange = {}): Call {
  const kind = change.kind ?? 'text'
  const asked = kind === 'text' ? { prompt: 'Say hello.' } : { messages: [{ role: 'user', content: 'Hi.' }] }
  return {
    id: 'req_0123456789abcdef0123456789abcdef',
    dialect: 'completions',
    kind,
    model: 'some-model',
    stream: false,
    includeUsage: false,
    body: bodyOf(body ?? { model: 'some-model', ...asked }, source),
    credential: undefined,
    deadlineMs: undefined,
    ...change,
  }
}

const envelope = { id: 'up-1', created: 1_700_000_000, model: 'some-model' }

export function textChunk(text: string, finish: string | null = null, index = 0): JsonObject {
  return { ...envelope, object: 'text_completion', choices: [{ index, text, finish_reason: finish }] }
}

export function chatChunk(delta: JsonObject, finish: string | null = null, index = 0): JsonObject {
  return { ...envelope, object: 'chat.completion.chunk', choices: [{ index, delta, finish_reason: finish }] }
}

export function chatReply(message: JsonObject, finish: string | null = 'stop'): JsonObject {
  const whole = { role: 'assistant', content: null, ...message }
  return {
    ...envelope,
    object: 'chat.completion',
    choices: [{ index: 0, message: whole, finish_reason: finish }],
  }
}

export function usageChunk(promptTokens: number, completionTokens: number): JsonObject {
  return {
    ...envelope,
    object: 'chat.completion.chunk',
    choices: [],
    usage: usage(promptTokens, completionTokens),
  }
}

export function usage(promptTokens: number, completionTokens: number): JsonObject {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
  }
}

/** All the text and all the content in some deltas, in their order. */
export function textOf(deltas: readonly Delta[]): string {
  return deltas
    .flatMap(({ value }) => value.choices)
    .map(({ text, delta, message }) => text ?? (delta ?? message)?.content ?? '')
    .join('')
}

/** Reads bursts to their end. */
export async function readAll(
  bursts: AsyncIterable<readonly Delta[]> | Iterable<readonly Delta[]>,
): Promise<Delta[]> {
  const deltas: Delta[] = []
  for await (const burst of bursts) deltas.push(...burst)
  return deltas
}

/** A chunk as a provider hands it over, its wire text beside it. */
export function rawDelta(chunk: JsonObject): RawDelta {
  const source = JSON.stringify(chunk)
  return JsonText.read(parseJson(source) as JsonObject, source)
}

type MutableCall = { -readonly [Key in keyof ScriptedCall]: ScriptedCall[Key] }

async function* play(script: Script, seen: MutableCall): AsyncGenerator<readonly RawDelta[], void, void> {
  const { attempt, call } = seen
  try {
    attempt.signal.throwIfAborted()
    for (const step of script) {
      const chunks = await step(attempt, call)
      attempt.signal.throwIfAborted()
      if (chunks.length === 0) continue
      seen.taken++
      yield chunks.map(rawDelta)
      attempt.signal.throwIfAborted()
    }
  } finally {
    seen.finalised = true
  }
}

function aborted(signal: CallSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason)
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}
