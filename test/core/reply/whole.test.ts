import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../../src/core/model/json/json.ts'
import type { Ending } from '../../../src/core/model/ports.ts'
import type { Kind } from '../../../src/core/model/terms.ts'
import { createNormalizer } from '../../../src/core/reply/normalize.ts'
import { role, tool, toolMore } from '../../harness/core/normalize.ts'
import { chatChunk, rawDelta, textChunk } from '../../harness/scripted-upstream.ts'

const usage = { prompt_tokens: 9, completion_tokens: 4, total_tokens: 13 }
const usageAlone = { choices: [], usage }
const said = chatChunk({ ...role, content: 'Hi' })
const half = { ...tool, function: { name: 'f', arguments: '{"a":' } }

function whole(message: JsonObject, reason: unknown = null, rest: JsonObject = { usage }): JsonObject {
  const choice = { index: 0, message: { ...role, content: null, ...message }, finish_reason: reason }
  return { ...said, object: 'chat.completion', choices: [choice], ...rest }
}

type Told = { readonly reason: unknown; readonly native?: unknown; readonly kind?: string }

/** How the answer ended for its caller, and its flags. */
function told(
  chunks: readonly JsonObject[],
  ending: Ending | undefined,
  { kind = 'chat', mostTokens }: { kind?: Kind; mostTokens?: number | undefined } = {},
): Told & { readonly flags: readonly string[] } {
  const flags = new Set<string>()
  const ids = { id: 'a', createdEpochSeconds: 1, model: 'm' }
  const normalizer = createNormalizer({ kind, stream: ending !== 'value', ...ids, mostTokens, flags })
  try {
    const deltas = chunks.flatMap((chunk) => normalizer.accept([rawDelta(chunk)]))
    const choices = [...deltas, ...normalizer.finish(ending)].flatMap(({ value: chunk }) => chunk.choices)
    const last = choices.findLast(({ finish_reason: reason }) => reason !== null)
    return { reason: last?.finish_reason, native: last?.['native_finish_reason'], flags: [...flags] }
  } catch (thrown) {
    return { reason: undefined, kind: (thrown as { kind: string }).kind, flags: [...flags] }
  }
}

describe('a stream without a finish reason', () => {
  const cases: readonly (readonly [string, readonly JsonObject[], Ending | undefined, string])[] = [
    ['with usage by itself and a terminator is whole', [said, usageAlone], 'terminator', 'stop'],
    ['without a terminator was cut', [said, usageAlone], undefined, 'interrupted'],
    ['without usage was cut', [said], 'terminator', 'interrupted'],
    ['with usage in its last delta was cut', [{ ...said, usage }], 'terminator', 'interrupted'],
    [
      'with text after its usage was cut',
      [said, usageAlone, chatChunk({ content: '!' })],
      'terminator',
      'interrupted',
    ],
    [
      'with half a usage was cut',
      [said, { choices: [], usage: { prompt_tokens: 9 } }],
      'terminator',
      'interrupted',
    ],
    ['that said nothing was cut', [chatChunk(role), usageAlone], 'terminator', 'interrupted'],
    [
      'that only thought was cut',
      [chatChunk({ ...role, reasoning_content: 'Hm' }), usageAlone],
      'terminator',
      'interrupted',
    ],
    [
      'with a whole call is whole',
      [chatChunk({ ...role, tool_calls: [tool] }), chatChunk({ tool_calls: [toolMore] }), usageAlone],
      'terminator',
      'tool_calls',
    ],
    [
      'with half a call was cut',
      [chatChunk({ ...role, tool_calls: [half] }), usageAlone],
      'terminator',
      'interrupted',
    ],
    [
      'with a call without arguments was cut',
      [chatChunk({ ...role, tool_calls: [tool] }), usageAlone],
      'terminator',
      'interrupted',
    ],
    ['with a refusal is whole', [chatChunk({ ...role, refusal: 'No.' }), usageAlone], 'terminator', 'stop'],
    [
      'with an error was cut',
      [said, usageAlone, { error: { message: 'x' } }],
      'terminator',
      'upstream_error',
    ],
  ]
  test.for(cases)('%s', ([, chunks, ending, outcome]) => {
    const { reason, kind, flags } = told(chunks, ending)
    expect(reason ?? kind).toBe(outcome)
    if (reason !== undefined) expect(flags).toEqual(['finish_reason_missing'])
  })

  test.for([
    [4, 'length'],
    [3, 'length'],
    [5, 'stop'],
    [undefined, 'stop'],
  ] as const)('that used 4 tokens of a bound of %o ends with %s', ([mostTokens, reason]) => {
    expect(told([said, usageAlone], 'terminator', { mostTokens })).toMatchObject({ reason })
  })

  test('of a text is complete by the same evidence', () => {
    expect(told([textChunk('Hi'), usageAlone], 'terminator', { kind: 'text' })).toMatchObject({
      reason: 'stop',
    })
    expect(told([textChunk('Hi')], 'terminator', { kind: 'text' })).toMatchObject({ kind: 'interrupted' })
  })
})

describe('a JSON answer without a finish reason', () => {
  const cases: readonly (readonly [string, JsonObject, string])[] = [
    ['with content and usage is whole', whole({ content: 'Hi' }), 'stop'],
    ['with an empty reason is whole', whole({ content: 'Hi' }, ''), 'stop'],
    ['without usage is none', whole({ content: 'Hi' }, null, {}), 'interrupted'],
    ['without content is none', whole({ content: '' }), 'interrupted'],
    ['with a call is whole', whole({ tool_calls: [{ ...tool, index: undefined }] }), 'tool_calls'],
    ['with half a call is refused', whole({ tool_calls: [half] }), 'interrupted'],
    ['with the reason left out is whole', withoutReason(whole({ content: 'Hi' })), 'stop'],
  ]
  test.for(cases)('%s', ([, chunk, outcome]) => {
    const { reason, kind } = told([chunk], 'value')
    expect(reason ?? kind).toBe(outcome)
  })
})

describe('an unknown finish reason', () => {
  test.for([
    [
      'of a stream with its proofs',
      [chatChunk({ ...role, content: 'Hi' }, 'weary'), usageAlone],
      'terminator',
    ],
    ['of a JSON answer with its proofs', [whole({ content: 'Hi' }, 'weary')], 'value'],
  ] as const)('%s counts as stop, and is noted', ([, chunks, ending]) => {
    expect(told(chunks, ending)).toEqual({
      reason: 'stop',
      native: 'weary',
      flags: ['finish_reason_unknown'],
    })
  })

  test.for([
    ['of a stream without them', [chatChunk({ ...role, content: 'Hi' }, 'weary')], 'terminator'],
    ['of a JSON answer without them', [whole({ content: 'Hi' }, 'weary', {})], 'value'],
  ] as const)('%s is not an answer', ([, chunks, ending]) => {
    expect(told(chunks, ending)).toMatchObject({ kind: 'invalid_response' })
  })

  test('is forgotten if the choice continues', () => {
    const chunks = [
      chatChunk({ ...role, content: 'H' }, 'pausing'),
      chatChunk({ content: 'i' }),
      chatChunk({}, 'stop'),
    ]
    expect(told(chunks, undefined)).toEqual({ reason: 'stop', native: undefined, flags: [] })
  })
})

test.for([
  ['an error', { error: { message: 'late' } }],
  ['more words', chatChunk({ content: 'more' })],
] as const)('%s after the end does not change it', ([, late]) => {
  expect(told([chatChunk({ ...role, content: 'Hi' }, 'stop'), late], undefined)).toMatchObject({
    reason: 'stop',
  })
})

function withoutReason(chunk: JsonObject): JsonObject {
  const [{ finish_reason: _reason, ...choice } = {}] = chunk['choices'] as JsonObject[]
  return { ...chunk, choices: [choice] }
}
