import { describe, expect, test } from 'vitest'
import { readUsage, writeUsage } from '../../../../src/core/model/usage/usage.ts'
import { dropUsageInside, usageIn } from '../../../../src/core/model/usage/usage-formats.ts'

describe('usage is found', () => {
  const usage = { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 }
  test.for([
    ['beside the choices', { choices: [{ index: 0 }], usage }],
    ['inside a choice', { choices: [{ index: 0, usage }] }],
    ['inside a delta', { choices: [{ index: 0, delta: { usage } }], usage: null }],
    ['inside a message', { choices: [{ index: 0, message: { usage } }] }],
    ['inside a choice, beside an empty one', { choices: [{ index: 0, usage }], usage: {} }],
    ['in the last choice that has one', { choices: [{ index: 0, usage: { prompt_tokens: 1 } }, { usage }] }],
    ['in a field of Groq’s', { choices: [], x_groq: { id: 'req_1', usage } }],
  ] as const)('%s', ([, chunk]) => {
    expect(usageIn(structuredClone(chunk) as never)).toEqual(usage)
  })

  test.for([
    ['with an invalid usage', { usage: 'x' }, 'x'],
    ['without usage', { choices: [null, 7, { delta: 'x' }] }, undefined],
  ] as const)('unchanged in a chunk %s', ([, chunk, found]) => {
    expect(usageIn(structuredClone(chunk) as never)).toBe(found)
  })
})

test('usage inside a choice is removed from it', () => {
  const chunk = { choices: [{ index: 0, usage: {}, delta: { content: 'A', usage: {} } }, null] }
  expect(dropUsageInside(chunk)).toBe(true)
  expect(chunk).toEqual({ choices: [{ index: 0, delta: { content: 'A' } }, null] })
  expect(dropUsageInside(chunk)).toBe(false)
})

describe('an upstream’s counts', () => {
  const cases: readonly (readonly [
    string,
    object,
    readonly [number, number, (number | undefined)?, number?],
  ])[] = [
    ['of OpenAI', { prompt_tokens: 12, completion_tokens: 4, total_tokens: 16 }, [12, 4]],
    [
      'by the names of responses',
      { input_tokens: 12, output_tokens: 4, input_tokens_details: { cached_tokens: 5 }, total_tokens: 16 },
      [12, 4, 5],
    ],
    [
      'by Anthropic’s names, whose input excludes cached tokens',
      { input_tokens: 2, cache_read_input_tokens: 7, cache_creation_input_tokens: 3, output_tokens: 4 },
      [12, 4, 7],
    ],
    [
      'by Anthropic’s names beside OpenAI’s',
      { prompt_tokens: 12, completion_tokens: 4, total_tokens: 16, cache_read_input_tokens: 7 },
      [12, 4, 7],
    ],
    [
      'of Mistral',
      { prompt_tokens: 12, completion_tokens: 4, total_tokens: 16, num_cached_tokens: 8 },
      [12, 4, 8],
    ],
    [
      'of Mistral, among details of its own',
      {
        prompt_tokens: 12,
        completion_tokens: 4,
        total_tokens: 16,
        prompt_token_details: { cached_tokens: 8 },
      },
      [12, 4, 8],
    ],
    [
      'of DeepSeek',
      {
        prompt_tokens: 12,
        completion_tokens: 4,
        total_tokens: 16,
        prompt_cache_hit_tokens: 8,
        prompt_cache_miss_tokens: 4,
      },
      [12, 4, 8],
    ],
    [
      'of Together, thoughts among them',
      { prompt_tokens: 75, completion_tokens: 84, total_tokens: 159, reasoning_tokens: 60, cached_tokens: 8 },
      [75, 84, 8, 60],
    ],
    [
      'of xAI, with separate reasoning',
      {
        prompt_tokens: 12,
        completion_tokens: 2,
        total_tokens: 354,
        prompt_tokens_details: { text_tokens: 12, audio_tokens: 0, image_tokens: 0, cached_tokens: 5 },
        completion_tokens_details: { reasoning_tokens: 340, audio_tokens: 0 },
        num_sources_used: 0,
      },
      [12, 342, 5, 340],
    ],
    [
      'with separate audio of the answer',
      {
        prompt_tokens: 12,
        completion_tokens: 2,
        total_tokens: 44,
        completion_tokens_details: { audio_tokens: 30 },
      },
      [12, 32],
    ],
    [
      'with separate audio of the prompt',
      {
        prompt_tokens: 4,
        completion_tokens: 2,
        total_tokens: 381,
        prompt_tokens_details: { audio_tokens: 375 },
      },
      [379, 2],
    ],
    [
      'with separate audio and reasoning',
      {
        prompt_tokens: 4,
        completion_tokens: 2,
        total_tokens: 36,
        prompt_tokens_details: { audio_tokens: 10, cached_tokens: 3 },
        completion_tokens_details: { reasoning_tokens: 20 },
      },
      [14, 22, 3, 20],
    ],
    [
      'with more reasoning than answer, and no total',
      { prompt_tokens: 4, completion_tokens: 2, completion_tokens_details: { reasoning_tokens: 20 } },
      [4, 22, undefined, 20],
    ],
    [
      'whose total is more than the parts explain',
      { prompt_tokens: 4, completion_tokens: 2, total_tokens: 99, reasoning_tokens: 1 },
      [4, 2, undefined, 1],
    ],
  ]
  test.for(cases)('%s', ([, claimed, [prompt, completion, cached, reasoning]]) => {
    const read = readUsage(claimed, new Set())
    expect([read?.promptTokens, read?.completionTokens]).toEqual([prompt, completion])
    const written = writeUsage(read?.raw ?? {}, prompt, completion)
    expect(written).toMatchObject({
      ...claimed,
      ...counted(prompt, completion),
      ...(cached === undefined ? {} : { prompt_tokens_details: { cached_tokens: cached } }),
      ...(reasoning === undefined ? {} : { completion_tokens_details: { reasoning_tokens: reasoning } }),
    })
  })

  function counted(prompt: number, completion: number) {
    return { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion }
  }
})

test('a usage whose breakdown is in OpenAI’s fields is returned as the same object', () => {
  const raw = {
    prompt_tokens: 3,
    completion_tokens: 4,
    total_tokens: 7,
    prompt_tokens_details: { cached_tokens: 1, audio_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 2 },
  }
  expect(readUsage(raw, new Set())?.raw).toBe(raw)
})
