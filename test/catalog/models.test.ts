import { describe, expect, test } from 'vitest'
import { defaultModels } from '../../src/catalog/models.ts'
import { createPriceBook } from '../../src/catalog/price-book.ts'
import { shippedPrices } from '../../src/catalog/prices.ts'
import { matchesPattern } from '../../src/core/router.ts'

const all = ['pandotate', 'together', 'baseten', 'runpod', 'simulator']

/** `provider` or `provider:model`, as the router would find them: the exact name, or the longest pattern. */
function placesOf(model: string, available: readonly string[]): readonly string[] | undefined {
  const routes = defaultModels(new Set(available))
  const length = (pattern: string) => (pattern === model ? Number.POSITIVE_INFINITY : pattern.length)
  const [route] = routes
    .filter(({ pattern }) => matchesPattern(model, pattern))
    .toSorted((one, other) => length(other.pattern) - length(one.pattern))
  return route?.deployments.map(({ provider, model: name }) =>
    name === undefined ? provider : `${provider}:${name}`,
  )
}

const turbo = 'together:meta-llama/Llama-3.3-70B-Instruct-Turbo'
const little = 'together:Qwen/Qwen2.5-7B-Instruct-Turbo'

describe('with keys for all', () => {
  test.for<[string, readonly string[]]>([
    ['llama-3.3-70b', [turbo, 'runpod:meta-llama/Llama-3.3-70B-Instruct', 'pandotate']],
    ['llama3.3:70b', [turbo, 'runpod:meta-llama/Llama-3.3-70B-Instruct', 'pandotate']],
    ['meta-llama/Llama-3.3-70B-Instruct', [turbo, 'runpod:meta-llama/Llama-3.3-70B-Instruct', 'pandotate']],
    ['meta-llama/Llama-3.3-70B-Instruct-Turbo', [turbo, 'pandotate']],
    ['qwen-2.5-7b', [little, 'runpod:Qwen/Qwen2.5-7B-Instruct', 'pandotate']],
    ['qwen2.5-7b-instruct', [little, 'runpod:Qwen/Qwen2.5-7B-Instruct', 'pandotate']],
    ['Qwen/Qwen3.5-9B', ['together:Qwen/Qwen3.5-9B', 'runpod:Qwen/Qwen3.5-9B', 'pandotate']],
    ['qwen-3.7-max', ['together:Qwen/Qwen3.7-Max', 'pandotate']],
    ['mistral-7b', ['runpod:mistralai/Mistral-7B-Instruct-v0.3', 'pandotate']],
    ['mistralai/Mistral-7B-Instruct-v0.2', ['runpod', 'pandotate']],
    ['mistral-3b', ['runpod', 'pandotate']],
    ['llama-3.3-nemotron-super-49b', ['runpod', 'pandotate']],
    ['meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo', ['runpod', 'pandotate']],
    ['Qwen/Qwen2.5-72B-Instruct-Turbo', ['runpod', 'pandotate']],
    ['qwen-2.5-72b', ['runpod:Qwen/Qwen2.5-72B-Instruct', 'pandotate']],
    ['deepseek-ai/DeepSeek-V4-Pro', ['pandotate']],
    ['phi-4', ['pandotate']],
  ])('%s goes to %o', ([model, places]) => {
    expect(placesOf(model, all)).toEqual(places)
  })
})

describe('with some keys', () => {
  test.for<[string, readonly string[], readonly string[] | undefined]>([
    ['llama-3.3-70b', ['together', 'pandotate'], [turbo, 'pandotate']],
    ['llama-3.3-70b', ['together'], [turbo]],
    ['llama-3.3-70b', ['runpod'], ['runpod:meta-llama/Llama-3.3-70B-Instruct']],
    ['llama-3.3-70b', ['baseten', 'pandotate'], ['pandotate']],
    ['mistral-7b', ['together', 'pandotate'], ['pandotate']],
    ['mistral-7b', ['together'], undefined],
    ['phi-4', ['together', 'runpod'], undefined],
    ['phi-4', [], undefined],
  ])('%s with %o goes to %o', ([model, available, places]) => {
    expect(placesOf(model, available)).toEqual(places)
  })

  test('Pandotate alone is one route, for any name', () => {
    expect(defaultModels(new Set(['pandotate']))).toEqual([
      { pattern: '*', strategy: 'fallback', deployments: [{ provider: 'pandotate' }] },
    ])
  })
})

test('no name has two routes', () => {
  const patterns = defaultModels(new Set(all)).map(({ pattern }) => pattern)
  expect(patterns).toEqual([...new Set(patterns)])
})

test('what is asked of Together is what it serves, at a price', () => {
  const book = createPriceBook({ own: [], shipped: shippedPrices })
  const models = defaultModels(new Set(['together'])).flatMap(({ deployments }) => deployments)
  expect(models.length).toBeGreaterThan(5)
  for (const { provider, model = '' } of models) {
    const known = book.find({ name: provider, type: provider }, model, Date.parse('2026-11-23'))
    expect(known?.isFirm, model).toBe(true)
  }
})
