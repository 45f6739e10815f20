import { describe, expect, test } from 'vitest'
import { JsonText } from '../../../src/core/model/json/json-text.ts'
import { renderReply } from '../../../src/dialects/openai/reply.ts'
import { textDelta, usage } from '../requests.ts'

describe('A whole answer', () => {
  test("is the upstream's own text when its usage stands", () => {
    const source = '{ "whatever": "it was",\n "usage": {} }'
    const { value: chunk } = textDelta('Hello', { usage: { ...usage } })
    expect(renderReply({ chunk: JsonText.read(chunk, source), usage })).toBe(source)
  })

  test('keeps what the upstream said beside the counts', () => {
    const told = { ...usage, prompt_tokens_details: { cached_tokens: 4 } }
    const { value: chunk } = textDelta('Hello', { usage: told })
    expect(JSON.parse(renderReply({ chunk: JsonText.of(chunk), usage }))).toEqual(chunk)
  })

  const counted: [string, object][] = [
    ['is missing', {}],
    ['is null', { usage: null }],
    ['has another prompt count', { usage: { ...usage, prompt_tokens: 4 } }],
    ['has another completion count', { usage: { ...usage, completion_tokens: 4 } }],
    ['has another total', { usage: { ...usage, total_tokens: 5 } }],
    ['has no total', { usage: { prompt_tokens: 5, completion_tokens: 2 } }],
  ]
  test.for(counted)('bears the counted usage when its own %s', ([, more]) => {
    const { value: chunk } = textDelta('Hello', more)
    const before = structuredClone(chunk)
    const rendered = JSON.parse(renderReply({ chunk: JsonText.read(chunk, '{}'), usage }))
    expect(rendered).toEqual({ ...chunk, usage })
    expect(chunk).toEqual(before)
  })
})
