import { describe, expect, test } from 'vitest'
import { defaultModels } from '../../src/catalog/models.ts'
import { createPriceBook } from '../../src/catalog/price-book.ts'
import { shippedPrices } from '../../src/catalog/prices.ts'
import { matchesPattern } from '../../src/core/model/pattern.ts'

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
    [
      'deepseek-ai/DeepSeek-V4-Pro',
      ['baseten:deepseek-ai/DeepSeek-V4-Pro', 'together:deepseek-ai/DeepSeek-V4-Pro', 'pandotate'],
    ],
    ['gpt-oss:120b', ['baseten:openai/gpt-oss-120b', 'together:openai/gpt-oss-120b', 'pandotate']],
    [
      'thinkingmachines/Inkling',
      ['baseten:thinkingmachines/inkling', 'together:thinkingmachines/Inkling', 'pandotate'],
    ],
    ['glm-5.2-fast', ['baseten:zai-org/GLM-5.2-Fast', 'pandotate']],
    ['Qwen/Qwen3.8-2.4T-A95B', ['together:Qwen/Qwen3.8-2.4T-A95B', 'pandotate']],
    ['multilingual-e5-large-instruct', ['together:intfloat/multilingual-e5-large-instruct', 'pandotate']],
    ['moonshotai/Kimi-K2.6', ['pandotate']],
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

/** Of each kind of name, where it goes with which keys: t for Together, b for Baseten, r for RunPod, p for Pandotate. */
describe('for every key alone, and for every pair of them', () => {
  const keys = { t: 'together', b: 'baseten', r: 'runpod', p: 'pandotate' }
  const columns = ['t', 'b', 'r', 'p', 'tb', 'tr', 'tp', 'br', 'bp', 'rp'] as const
  test.for<[string, string]>([
    //                     t  b  r  p  tb  tr  tp  br  bp  rp
    ['llama-3.3-70b', '    t  -  r  p  t   tr  tp  r   p   rp'],
    ['meta-llama/Llama-3.3-70B-Instruct-Turbo', 't - r p t t tp r p rp'],
    ['llama-3.1-8b', '     -  -  r  p  -   r   p   r   p   rp'],
    ['meta-llama/Llama-3.2-1B', '- - r p -   r   p   r   p   rp'],
    ['qwen3.5-9b', '       t  -  r  p  t   tr  tp  r   p   rp'],
    ['qwen-3.7-max', '     t  -  r  p  t   t   tp  r   p   rp'],
    ['Qwen/Qwen3-32B', '   -  -  r  p  -   r   p   r   p   rp'],
    ['mistral-7b', '       -  -  r  p  -   r   p   r   p   rp'],
    ['mistralai/Mixtral-8x22B-Instruct-v0.1', '- - r p - r p r p rp'],
    ['openai/gpt-oss-120b', 't b - p  bt  t   tp  b   bp  p'],
    ['gpt-oss-120b', '     t  b  -  p  bt  t   tp  b   bp  p'],
    ['deepseek-v4-flash-0731', 't b - p bt  t   tp  b   bp  p'],
    ['nemotron-3-ultra', ' t  b  -  p  bt  t   tp  b   bp  p'],
    ['zai-org/GLM-5.2', '  t  b  -  p  bt  t   tp  b   bp  p'],
    ['glm-5.2-fast', '     -  b  -  p  b   -   p   b   bp  p'],
    ['phi-4', '            -  -  -  p  -   -   p   -   p   p'],
  ])('%s', ([model, row]) => {
    const cells = row.trim().split(/\s+/)
    expect(cells).toHaveLength(columns.length)
    const found = columns.map((letters) => {
      const available = [...letters].map((letter) => keys[letter as keyof typeof keys])
      return (placesOf(model, available) ?? []).map((place) => place.charAt(0)).join('') || '-'
    })
    expect(found).toEqual(cells)
  })
})

test('no name has two routes', () => {
  const patterns = defaultModels(new Set(all)).map(({ pattern }) => pattern)
  expect(patterns).toEqual([...new Set(patterns)])
})

test.for(['together', 'baseten'])('what is asked of %s is what it serves, at a price', (available) => {
  const book = createPriceBook({ shipped: shippedPrices, hardware: [] })
  const models = defaultModels(new Set([available])).flatMap(({ deployments }) => deployments)
  expect(models.length).toBeGreaterThan(5)
  for (const { provider, model = '' } of models) {
    const place = { name: provider, type: provider, list: provider }
    const known = book.find({ provider: place, model }, Date.parse('2026-11-23'))
    expect(known?.isFirm, model).toBe(true)
  }
})
