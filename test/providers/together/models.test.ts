import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parseJson } from '../../../src/core/model/json/json.ts'
import { isKnownPrice } from '../../../src/core/model/price.ts'
import { readTogetherModels } from '../../../src/providers/together/models.ts'

const listed = parseJson(
  readFileSync(new URL('../../fixtures/together/models.json', import.meta.url), 'utf8'),
)

const unknown = [undefined, undefined, undefined] as const

test.for([
  ['zai-org/GLM-5.2', 512_000, [1_400_000_000, 260_000_000, 4_400_000_000]],
  ['meta-llama/Llama-3.3-70B-Instruct-Turbo', 131_072, [1_040_000_000, undefined, 1_040_000_000]],
  ['deepseek-ai/DeepSeek-V4-Flash-0731', 1_048_576, [140_000_000, 30_000_000, 280_000_000]],
  ['mistralai/Mixtral-8x22B-Instruct-v0.1', 65_536, unknown],
  ['black-forest-labs/FLUX.2-pro', undefined, unknown],
  ['some-org/negative', undefined, [undefined, undefined, 500_000_000]],
  ['some-org/unpriced', 8192, unknown],
] as const)(
  '%s is listed with a context of %s and these prices',
  ([id, contextTokens, [input, cached, output]]) => {
    expect(readTogetherModels(listed).find((model) => model.id === id)).toMatchObject({
      id,
      contextTokens,
      price: {
        inputNanoUsdPerMillion: input,
        cachedInputNanoUsdPerMillion: cached,
        outputNanoUsdPerMillion: output,
        nanoUsdPerSecond: undefined,
      },
    })
  },
)

test('the whole list of 18 August is read: what has a price by the token, what is served to nobody, what is no text', () => {
  const list = readTogetherModels(
    JSON.parse(
      readFileSync(new URL('../../fixtures/together/list-2026-08-18.json', import.meta.url), 'utf8'),
    ),
  )
  const others = list.filter(({ isOther }) => isOther === true)
  const priced = list.filter(({ price }) => isKnownPrice(price))
  expect([list.length, others.length, priced.length]).toEqual([281, 90, 80])
  // Those of a sound or an image have a price there that is none by the token.
  expect(others.every(({ price }) => !isKnownPrice(price))).toBe(true)
  expect(others.map(({ id }) => id)).toContain('hexgrad/Kokoro-82M')
})

test('every row is read', () => {
  expect(readTogetherModels(listed)).toHaveLength(7)
})

test.for([[{ error: { message: 'Unauthorized' } }], ['none'], [null]])('%j is no list', ([answer]) => {
  expect(() => readTogetherModels(answer)).toThrow(expect.objectContaining({ kind: 'invalid_response' }))
})
