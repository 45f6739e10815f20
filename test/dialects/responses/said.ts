import { expect } from 'vitest'
import type { Delta, FinishReason, Message, Reply, ToolCall } from '../../../src/core/model/call.ts'
import type { JsonObject } from '../../../src/core/model/json/json.ts'
import { createMemoryResponses } from '../../../src/core/reuse/memory-responses.ts'
import { createResponseStore } from '../../../src/core/reuse/response-store.ts'
import { createResponses } from '../../../src/dialects/responses/responses.ts'
import type { Dialect, StreamEncoder } from '../../../src/dialects/shared/dialect.ts'
import { chatDelta, incoming, usage } from '../requests.ts'

/** What a stream tells at once. */
export type Event = JsonObject & { readonly type: string }

const clock = { now: () => 0, epochMs: () => 1_700_000_001_500 }

/** What every request here has to call: a function, and a custom tool. */
export const tools = [
  { type: 'function', name: 'weather' },
  { type: 'custom', name: 'patch' },
]

/** The dialect, over a store of its own. */
export function createDialect(): Dialect {
  return createResponses({ store: createResponseStore(createMemoryResponses(clock, bounds)), clock })
}

/** A piece of a chat's answer. */
export function delta(message: Message, reason: FinishReason | null = null, more: JsonObject = {}): Delta {
  return chatDelta('', { choices: [{ index: 0, delta: message, finish_reason: reason, ...more }] })
}

/** A fragment of a call: the first when it has a name. */
export function call(index: number, args: string, name?: string): ToolCall {
  if (name === undefined) return { index, function: { arguments: args } }
  return { index, id: `call_${index}`, type: 'function', function: { name, arguments: args } }
}

export const said = (content: string): Delta => delta({ content })
export const called = (...fragments: ToolCall[]): Delta => delta({ tool_calls: fragments })
export const ended = (reason: FinishReason): Delta => delta({}, reason)

/** The encoder of a stream. */
export function open(body: JsonObject = {}): StreamEncoder {
  const dialect = createDialect()
  const asked = dialect.parse(incoming({ model: 'm', input: 'Hello', tools, stream: true, ...body }))
  return dialect.encoder(asked, () => ({ slow: false }))
}

/** The events in a stream's frames, each of which must bear the name of what it holds. */
export function eventsIn(frames: string): Event[] {
  return frames
    .split('\n\n')
    .filter((frame) => frame !== '')
    .map((frame) => {
      const [name, data = ''] = frame.split('\n')
      const event = JSON.parse(data.slice('data: '.length)) as Event
      expect(name).toBe(`event: ${event.type}`)
      return event
    })
}

/** The events of a whole stream. */
export function streamed(deltas: readonly Delta[], body: JsonObject = {}): Event[] {
  const encoder = open(body)
  return eventsIn(deltas.map((one) => encoder.encode([one])).join('') + encoder.end(usage))
}

/** The answer where it is not streamed. */
export function whole(message: Message, reason: FinishReason, body: JsonObject = {}): JsonObject {
  const dialect = createDialect()
  const asked = dialect.parse(incoming({ model: 'm', input: 'Hello', tools, ...body }))
  const choices = [{ index: 0, message, finish_reason: reason }]
  const reply: Reply = { chunk: chatDelta('', { object: 'chat.completion', choices }), usage }
  return JSON.parse(dialect.render(reply, asked, { slow: false })) as JsonObject
}

/** The response that the last event holds. */
export function lastOf(events: readonly Event[]): JsonObject {
  return events.at(-1)?.['response'] as JsonObject
}

const bounds = { maxEntries: 1000, maxBytes: 10_000_000, ttlMs: 60_000 }
