import { describe, expect, test } from 'vitest'
import { defaultModels } from '../../src/catalog/default-models.ts'
import { createPriceBook } from '../../src/catalog/price-book.ts'
import { shippedCatalog } from '../../src/catalog/shipped.ts'
import { matchesPattern } from '../../src/core/model/pattern.ts'

const catalog = shippedCatalog()
const all = ['pandotate', 'together', 'baseten', 'runpod', 'mistral', 'simulator']

/** `provider` or `provider:model`, found like the router does: by the exact name, or the longest pattern. */
function placesOf(model: string, available: readonly string[]): readonly string[] | undefined {
  const routes = defaultModels(catalog, new Set(available))
  const length = (pattern: string) => (pattern === model ? Number.POSITIVE_INFINITY : pattern.length)
  const [route] = routes
    .filter(({ pattern }) => matchesPattern(model, pattern))
    .toSorted((one, other) => length(other.pattern) - length(one.pattern))
  return route?.deployments.map(({ provider, model: name }) =>
    name === undefined ? provider : `${provider}:${name}`,
  )
}

const turbo = 'together:meta-llama/Llama-3.3-70B-Instruct-Turbo'
const both = (id: string) => [`baseten:${id}`, `together:${id}`, 'pandotate']

describe('with keys for all', () => {
  test.for<[string, readonly string[]]>([
    ['glm-5.3', both('zai-org/GLM-5.3')],
    ['zai-org/GLM-5.3-Flash', both('zai-org/GLM-5.3-Flash')],
    ['glm-5.2-fast', ['baseten:zai-org/GLM-5.2-Fast', 'pandotate']],
    ['kimi-k3.1-pro', both('moonshotai/Kimi-K3.1-Pro')],
    ['deepseek-v4.1-flash', both('deepseek-ai/DeepSeek-V4.1-Flash')],
    ['deepseek-ai/DeepSeek-V4-Pro', both('deepseek-ai/DeepSeek-V4-Pro')],
    ['gpt-oss:120b', both('openai/gpt-oss-120b')],
    ['Qwen/Qwen3.5-9B', ['together:Qwen/Qwen3.5-9B', 'runpod:Qwen/Qwen3.5-9B', 'pandotate']],
    ['qwen-3.7-max', ['together:Qwen/Qwen3.7-Max', 'pandotate']],
    ['minimax-m3.1-flash', ['together:MiniMaxAI/MiniMax-M3.1-Flash', 'pandotate']],
    [
      'muse-spark',
      ['baseten:meta-models/muse-spark-open', 'together:meta-models/Muse-Spark-Open-816B-A42B', 'pandotate'],
    ],
    [
      'nemotron-3.5-super-vl',
      [
        'together:nvidia/NVIDIA-Nemotron-3.5-Super-VL',
        'baseten:nvidia/NVIDIA-Nemotron-3.5-Super-VL-120B-A12B',
        'pandotate',
      ],
    ],
    ['mistral-large', ['mistral:mistral-large-4', 'pandotate']],
    ['codestral', ['mistral:codestral-latest', 'pandotate']],
    ['llama-3.3-70b', [turbo, 'runpod:meta-llama/Llama-3.3-70B-Instruct', 'pandotate']],
    ['llama3.3:70b', [turbo, 'runpod:meta-llama/Llama-3.3-70B-Instruct', 'pandotate']],
    ['meta-llama/Llama-3.3-70B-Instruct-Turbo', [turbo, 'pandotate']],
    ['mistral-7b', ['runpod:mistralai/Mistral-7B-Instruct-v0.3', 'pandotate']],
    ['mistralai/Mistral-7B-Instruct-v0.2', ['runpod', 'pandotate']],
    ['gemma-4-31b', ['together:google/gemma-4-31B-it', 'runpod:google/gemma-4-31B-it', 'pandotate']],
    ['gemma-3-27b', ['runpod', 'pandotate']],
    ['llama-3.3-nemotron-super-49b', ['runpod', 'pandotate']],
    ['meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo', ['runpod', 'pandotate']],
    ['qwen-2.5-72b', ['runpod:Qwen/Qwen2.5-72B-Instruct', 'pandotate']],
    ['phi-4', ['pandotate']],
  ])('%s goes to %o', ([model, places]) => {
    expect(placesOf(model, all)).toEqual(places)
  })
})

describe('with some keys', () => {
  test.for<[string, readonly string[], readonly string[] | undefined]>([
    ['glm-5.3', ['together', 'pandotate'], ['together:zai-org/GLM-5.3', 'pandotate']],
    ['glm-5.3', ['runpod', 'pandotate'], ['pandotate']],
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
    expect(defaultModels(catalog, new Set(['pandotate']))).toEqual([
      { pattern: '*', strategy: 'fallback', deployments: [{ provider: 'pandotate' }] },
    ])
  })
})

/** For each kind of name, its destinations by keys: t for Together, b for Baseten, r for RunPod, p for Pandotate. */
describe('for every single key, and for every pair', () => {
  const keys = { t: 'together', b: 'baseten', r: 'runpod', p: 'pandotate' }
  const columns = ['t', 'b', 'r', 'p', 'tb', 'tr', 'tp', 'br', 'bp', 'rp'] as const
  test.for<[string, string]>([
    //                     t  b  r  p  tb  tr  tp  br  bp  rp
    ['llama-3.1-8b', '     -  -  r  p  -   r   p   r   p   rp'],
    ['meta-llama/Llama-3.2-1B', '- - r p -   r   p   r   p   rp'],
    ['qwen3.5-9b', '       t  -  r  p  t   tr  tp  r   p   rp'],
    ['qwen-3.7-max', '     t  -  r  p  t   t   tp  r   p   rp'],
    ['Qwen/Qwen3-32B', '   -  -  r  p  -   r   p   r   p   rp'],
    ['mistral-7b', '       -  -  r  p  -   r   p   r   p   rp'],
    ['mistralai/Mixtral-8x22B-Instruct-v0.1', '- - r p - r p r p rp'],
    ['openai/gpt-oss-120b', 't b - p  bt  t   tp  b   bp  p'],
    ['gpt-oss-120b', '     t  b  -  p  bt  t   tp  b   bp  p'],
    ['deepseek-v4.1-flash', 't b - p  bt  t   tp  b   bp  p'],
    ['nemotron-3-ultra', ' -  b  -  p  b   -   p   b   bp  p'],
    ['zai-org/GLM-5.3', '  t  b  -  p  bt  t   tp  b   bp  p'],
    ['glm-5.3-fast', '     -  b  -  p  b   -   p   b   bp  p'],
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
  const patterns = defaultModels(catalog, new Set(all)).map(({ pattern }) => pattern)
  expect(patterns).toEqual([...new Set(patterns)])
})

/** The names without a remaining shared host, and their nearest successors. */
const withoutPlace = [
  ...['llama-3.3-70b', 'gpt-oss-20b', 'gemma-4-31b', 'deepseek-v4-pro', 'qwen3.8-2.4t-a95b', 'inkling'],
  ...['minimax-m3', 'kimi-k2.6', 'glm-4.7', 'multilingual-e5-large-instruct'],
]

test('every name without a destination has successors, which have one', () => {
  const book = createPriceBook(catalog)
  const now = Date.parse('2026-11-29')
  const lives = ({ provider, model }: { readonly provider: string; readonly model?: string }) =>
    provider !== 'runpod' &&
    book.presence({ provider: { name: provider, type: provider, list: provider }, model }, now) === undefined
  const rowOf = (name: string) => catalog.names.find(({ names }) => names.includes(name))
  const dead = catalog.names.filter(({ names, places }) => !names.some(isPattern) && !places.some(lives))
  const names = dead.flatMap((row) => row.names.map((name) => name.toLowerCase()))
  expect(withoutPlace.filter((name) => !names.some((dead) => dead.endsWith(name)))).toEqual([])
  for (const row of dead) {
    expect(row.successors, row.names[0]).toBeDefined()
    for (const successor of row.successors ?? []) {
      expect(rowOf(successor)?.places.some(lives), successor).toBe(true)
    }
  }
})

function isPattern(name: string): boolean {
  return name.includes('*')
}

test.for(['together', 'baseten', 'mistral'])('every default model at %s has a price there', (available) => {
  const book = createPriceBook(catalog)
  const models = defaultModels(catalog, new Set([available])).flatMap(({ deployments }) => deployments)
  expect(models.length).toBeGreaterThan(5)
  for (const { provider, model = '' } of models) {
    const place = { name: provider, type: provider, list: provider }
    const known = book.find({ provider: place, model }, Date.parse('2026-11-29'))
    expect(known?.price.inputNanoUsdPerMillion, model).toBeGreaterThan(0)
  }
})
