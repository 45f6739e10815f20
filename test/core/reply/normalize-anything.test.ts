import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createMeter } from '../../../src/core/account/meter.ts'
import type { Choice, Delta, Message, ToolCall } from '../../../src/core/model/call.ts'
import { Failure } from '../../../src/core/model/failure.ts'
import { fold, unfold } from '../../../src/core/model/fold/fold.ts'
import { isObject, type JsonObject, parseJson } from '../../../src/core/model/json/json.ts'
import { JsonText } from '../../../src/core/model/json/json-text.ts'
import type { Kind } from '../../../src/core/model/terms.ts'
import { isVisible } from '../../../src/core/model/visible.ts'
import { shown } from '../../harness/core/json-text.ts'
import { start } from '../../harness/core/normalize.ts'
import { aCall } from '../../harness/scripted-upstream.ts'

describe.for(['chat', 'text'] as const)('any chunks of a %s', (kind) => {
  test('become deltas that obey every rule, or a failure with the reason', () => {
    fc.assert(
      fc.property(chunks(), (chunks) => {
        expectRules(kind, normalizedOrFailed(kind, chunks))
      }),
      { numRuns: 300 },
    )
  })

  test('become deltas that can be inspected, counted, folded and unfolded', () => {
    fc.assert(
      fc.property(chunks(), (chunks) => {
        const deltas = normalizedOrFailed(kind, chunks)
        createMeter(aCall({ kind }), { count: async () => 0 }).note(deltas)
        deltas.some(isVisible)
        fold(deltas)
        deltas.flatMap(unfold).some(isVisible)
      }),
      { numRuns: 300 },
    )
  })
})

/** The deltas until a chunk is a failure; nothing else may be thrown. */
function normalizedOrFailed(kind: Kind, chunks: readonly JsonObject[]): Delta[] {
  const normalizer = start(kind, true)
  const deltas: Delta[] = []
  try {
    for (const chunk of chunks) {
      const given = structuredCloneOf(chunk)
      deltas.push(...normalizer.accept([JsonText.read(given, JSON.stringify(chunk))]))
    }
    deltas.push(...normalizer.finish('value'))
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown
    expect(['interrupted', 'invalid_response', 'upstream_error']).toContain(thrown.kind)
  }
  return deltas
}

function expectRules(kind: Kind, deltas: readonly Delta[]): void {
  const [first] = deltas
  const told = new Map<number, Told>()
  for (const { value: chunk, source } of deltas.map(shown)) {
    expect(chunk).toMatchObject({
      id: first?.value.id,
      created: first?.value.created,
      model: first?.value.model,
    })
    expect(chunk.usage ?? null).toBeNull()
    if (source !== undefined) expect(JSON.stringify(chunk)).toBe(source)
    for (const choice of chunk.choices) {
      expect(Number.isSafeInteger(choice.index) && choice.index >= 0).toBe(true)
      const before = told.get(choice.index) ?? { role: false, finished: false, tools: new Map() }
      told.set(choice.index, before)
      expect(before.finished).toBe(false)
      expect([null, 'stop', 'length', 'tool_calls', 'content_filter', 'function_call']).toContain(
        choice.finish_reason,
      )
      before.finished = choice.finish_reason !== null
      if (kind === 'text') expect(choice.text).toBeTypeOf('string')
      else expectChatRules(choice, before)
    }
  }
}

type Told = { role: boolean; finished: boolean; readonly tools: Map<number, { named: boolean }> }

function expectChatRules({ delta, message }: Choice, told: Told): void {
  if (message !== undefined) expectMessage(message)
  if (delta === undefined) return
  expectMessage(delta)
  expect(Boolean(delta.content) && Boolean(delta.reasoning_content)).toBe(false)
  expect(delta.role).toBe(told.role ? undefined : 'assistant')
  told.role = true
  for (const call of delta.tool_calls ?? []) expectToolCall(call, told.tools)
}

function expectMessage({ content, reasoning_content: reasoning, tool_calls: calls }: Message): void {
  expect(content === undefined || content === null || typeof content === 'string').toBe(true)
  expect(reasoning === undefined || reasoning === null || typeof reasoning === 'string').toBe(true)
  expect(calls === undefined || (Array.isArray(calls) && calls.every(isObject))).toBe(true)
  for (const { function: called } of calls ?? []) {
    expect(['string', 'undefined']).toContain(typeof called?.arguments)
  }
}

function expectToolCall({ index = -1, id, type, function: called }: ToolCall, tools: Told['tools']): void {
  expect(Number.isSafeInteger(index) && index >= 0).toBe(true)
  const begun = tools.get(index)
  expect([typeof id, typeof type]).toEqual(begun ? ['undefined', 'undefined'] : ['string', 'string'])
  const named = called?.name !== undefined
  expect(named && begun?.named === true).toBe(false)
  if (named) expect(called.name).toBeTypeOf('string')
  tools.set(index, { named: named || begun?.named === true })
}

/** Keeps raw numbers. */
function structuredCloneOf(chunk: JsonObject): JsonObject {
  return parseJson(JSON.stringify(chunk)) as JsonObject
}

function anything(): fc.Arbitrary<unknown> {
  return fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom<unknown>(null, '', 'Hi', 0, -1, 0.5, [], {}, true, { toString: 1 }, parseJson('1e999')),
  )
}

function maybe(...likely: readonly unknown[]): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...likely) }, { weight: 1, arbitrary: anything() })
}

function mostly(likely: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 8, arbitrary: likely }, { weight: 1, arbitrary: anything() })
}

function fragment(): fc.Arbitrary<unknown> {
  const called = { name: maybe('f', 'g', null), arguments: maybe('{', '}', null, {}) }
  return fc.record(
    {
      index: maybe(0, 1, 2),
      id: maybe('a', 'b', 'c', null),
      type: maybe('function', null),
      function: mostly(fc.record(called, { requiredKeys: [] })),
    },
    { requiredKeys: [] },
  )
}

function message(): fc.Arbitrary<unknown> {
  return fc.record(
    {
      role: maybe('assistant', null),
      content: maybe('Hi', '', null),
      reasoning: maybe('Hm', '', null),
      reasoning_content: maybe('Hm', '', null),
      refusal: maybe(null, 'No.'),
      tool_calls: mostly(fc.array(mostly(fragment()), { maxLength: 3 })),
    },
    { requiredKeys: [] },
  )
}

function choice(shape: 'message' | 'delta'): fc.Arbitrary<unknown> {
  return fc.record(
    {
      index: maybe(0, 1),
      text: maybe('Hi', '', null),
      ...(shape === 'message' ? { message: mostly(message()), delta: maybe(null) } : {}),
      ...(shape === 'delta' ? { delta: mostly(message()), message: maybe(null) } : {}),
      logprobs: maybe(null, { content: [] }),
      finish_reason: maybe(null, null, null, '', 'stop', 'eos', 'tool_calls'),
    },
    { requiredKeys: [] },
  )
}

/** No upstream sends a choice twice in one chunk. */
function apart(choices: readonly unknown[]): readonly unknown[] {
  const indices = choices.map((value, position) => {
    const index = isObject(value) ? value['index'] : undefined
    return typeof index === 'number' && Number.isSafeInteger(index) && index >= 0 ? index : position
  })
  return new Set(indices).size === indices.length ? choices : choices.slice(0, 1)
}

function chunks(): fc.Arbitrary<JsonObject[]> {
  return fc.constantFrom('message', 'delta').chain((shape) => fc.array(chunk(shape), { maxLength: 6 }))
}

function chunk(shape: 'message' | 'delta'): fc.Arbitrary<JsonObject> {
  return fc
    .record(
      {
        id: maybe('up-1'),
        object: maybe('chat.completion.chunk'),
        created: maybe(1),
        model: maybe('m'),
        choices: mostly(fc.array(mostly(choice(shape)), { minLength: 1, maxLength: 3 }).map(apart)),
        usage: maybe(null, { prompt_tokens: 1, completion_tokens: 1 }),
        error: maybe(null, undefined),
      },
      { requiredKeys: [] },
    )
    .map(structuredCloneOf)
}
