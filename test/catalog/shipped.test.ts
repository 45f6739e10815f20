import { describe, expect, test } from 'vitest'
import { hardwareNames } from '../../src/catalog/hardware.ts'
import { createPriceBook } from '../../src/catalog/price-book.ts'
import { shippedCatalog } from '../../src/catalog/shipped.ts'
import { costNanoUsd, unknownPrice } from '../../src/core/model/price.ts'

const catalog = shippedCatalog()
const book = createPriceBook(catalog)
const day = (date: string) => Date.parse(date)
const today = '2026-11-29'
const at = (list: string, model: string) => ({ provider: { name: 'here', type: list, list }, model })
const onGpu = (type: string, gpu: string, gpus = 1) => ({
  provider: { name: 'here', type, list: undefined },
  model: 'mine',
  own: [{ gpu, gpus }],
})
const nano = (usd: number | undefined) => (usd === undefined ? undefined : Math.round(usd * 1e9))

type Amounts = readonly [input: number, output: number, cached?: number]

/** Prices on which the sources of the day agree: input, output and cached input in USD per million tokens. */
describe('models available on the day of compilation, with prices confirmed by two sources', () => {
  test.for<[string, string, Amounts, number]>([
    ['together', 'zai-org/GLM-5.3', [1.4, 4.4, 0.26], 1_048_575],
    ['together', 'zai-org/GLM-5.3-Flash', [0.15, 0.5, 0.03], 1_048_575],
    ['together', 'zai-org/GLM-5.2', [1.4, 4.4, 0.26], 1_048_575],
    ['together', 'deepseek-ai/DeepSeek-V4.1-Flash', [0.3, 1.2, 0.006], 1_048_576],
    ['together', 'deepseek-ai/DeepSeek-V4-Pro-0813', [1.32, 3.96, 0.13], 1_048_576],
    ['together', 'moonshotai/Kimi-K3.1-Pro', [2, 10, 0.2], 1_048_576],
    ['together', 'moonshotai/Kimi-K3', [3, 15, 0.3], 1_048_576],
    ['together', 'nvidia/NVIDIA-Nemotron-3.5-Super-VL', [0.15, 0.5, 0.02], 262_144],
    ['together', 'meta-models/Muse-Spark-Open-816B-A42B', [1.25, 4.25, 0.15], 1_048_576],
    ['together', 'meta-models/Muse-Glimmer-30B', [0.35, 1.5, 0.04], 131_072],
    ['together', 'reflection/Beam-1.0-501B-A23B', [0.4, 1.2, 0.04], 1_048_576],
    ['together', 'openai/gpt-oss-120b', [0.15, 0.6], 131_072],
    ['together', 'Qwen/Qwen3.7-Max', [2.5, 7.5, 0.5], 1_000_000],
    ['together', 'Qwen/Qwen3.6-Plus', [0.5, 3], 1_000_000],
    ['together', 'Qwen/Qwen3.5-9B', [0.17, 0.25], 262_144],
    ['baseten', 'zai-org/GLM-5.3', [1.4, 4.4, 0.14], 1_048_576],
    ['baseten', 'zai-org/GLM-5.3-Flash', [0.15, 0.5, 0.03], 1_048_576],
    ['baseten', 'zai-org/GLM-5.3-Fast', [2.1, 6.6, 0.21], 1_048_576],
    ['baseten', 'zai-org/GLM-5.2', [1.4, 4.4, 0.14], 1_048_576],
    ['baseten', 'zai-org/GLM-5.2-Fast', [2.1, 6.6, 0.21], 1_048_576],
    ['baseten', 'deepseek-ai/DeepSeek-V4.1-Flash', [0.3, 1.2, 0.007], 1_048_576],
    ['baseten', 'deepseek-ai/DeepSeek-V4.1-Flash-1017', [0.3, 1.2, 0.007], 1_048_576],
    ['baseten', 'deepseek-ai/DeepSeek-V4.1-Flash-Fast', [0.6, 2.4, 0.014], 1_048_576],
    ['baseten', 'deepseek-ai/DeepSeek-V4.1-Flash-1017-Fast', [0.6, 2.4, 0.014], 1_048_576],
    ['baseten', 'deepseek-ai/DeepSeek-V4-Pro-0813', [1.32, 3.96, 0.132], 1_048_576],
    ['baseten', 'deepseek-ai/DeepSeek-V4-Flash-0731', [0.13, 0.26, 0.028], 1_048_576],
    ['baseten', 'moonshotai/Kimi-K3.1-Pro', [2, 10, 0.2], 1_048_576],
    ['baseten', 'moonshotai/Kimi-K3', [3, 15, 0.3], 1_048_576],
    ['baseten', 'nvidia/NVIDIA-Nemotron-3-Ultra-550B-A55B', [0.6, 2.4, 0.12], 202_800],
    ['baseten', 'openai/gpt-oss-120b', [0.1, 0.5, 0.1], 128_072],
    ['mistral', 'mistral-large-4', [0.7, 2.1, 0.07], 1_048_576],
    ['mistral', 'mistral-medium-latest', [1.5, 7.5, 0.15], 262_144],
    ['mistral', 'mistral-small-latest', [0.15, 0.6, 0.015], 262_144],
    ['mistral', 'mistral-small-2603', [0.15, 0.6, 0.015], 262_144],
    ['mistral', 'ministral-8b-2512', [0.15, 0.15, 0.015], 262_144],
    ['mistral', 'codestral-latest', [0.3, 0.9, 0.03], 256_000],
    ['mistral', 'devstral-latest', [0.4, 2, 0.04], 262_144],
  ])('%s has %s for %j, in %i tokens', ([list, model, [input, output, cached], contextTokens]) => {
    const question = at(list, model)
    const found = book.find(question, day(today))
    expect(found).toMatchObject({ source: 'shipped', isFirm: true, asOfEpochMs: day('2026-11-20') })
    expect(found?.price).toMatchObject({
      inputNanoUsdPerMillion: nano(input),
      outputNanoUsdPerMillion: nano(output),
      cachedInputNanoUsdPerMillion: nano(cached),
    })
    expect(book.traits(question, day(today)).contextTokens).toBe(contextTokens)
    expect(book.presence(question, day(today))).toBeUndefined()
  })
})

describe('a price from a single source, or disputed, is used but not firm', () => {
  test.for<[string, string, Amounts]>([
    ['together', 'deepseek-ai/DeepSeek-V4.1-Flash-1017', [0.3, 1.2, 0.006]],
    ['together', 'MiniMaxAI/MiniMax-M3.1-Flash', [0.15, 0.6, 0.015]],
    ['together', 'Qwen/Qwen3.8-Flash', [0.15, 0.47]],
    ['baseten', 'meta-models/muse-spark-open', [1.25, 4.25, 0.15]],
    ['baseten', 'reflection/Beam-1.0', [0.4, 1.2, 0.04]],
    ['baseten', 'nvidia/NVIDIA-Nemotron-3.5-Super-VL-120B-A12B', [0.2, 0.5, 0.04]],
    ['mistral', 'open-mistral-nemo', [0.3, 0.3, 0.03]],
    ['mistral', 'ministral-3-8b-2512', [0.15, 0.15, 0.015]],
  ])('%s: %s, %j', ([list, model, [input, output, cached]]) => {
    expect(book.find(at(list, model), day(today))).toMatchObject({
      isFirm: false,
      price: {
        inputNanoUsdPerMillion: nano(input),
        outputNanoUsdPerMillion: nano(output),
        cachedInputNanoUsdPerMillion: nano(cached),
      },
    })
  })
})

describe('a retired model is kept, with its last day and its successor', () => {
  test.for<[string, string, string, string | undefined]>([
    ['together', 'meta-llama/Llama-3.3-70B-Instruct-Turbo', '2026-10-22', 'meta-models/Muse-Glimmer-30B'],
    ['together', 'openai/gpt-oss-20b', '2026-09-15', 'Qwen/Qwen3.5-9B'],
    ['together', 'google/gemma-4-31B-it', '2026-09-15', 'zai-org/GLM-5.3-Flash'],
    ['together', 'moonshotai/Kimi-K2.6', '2026-08-19', undefined],
    ['together', 'moonshotai/Kimi-K2.7-Code', '2026-08-27', undefined],
    ['together', 'nvidia/nemotron-3-ultra-550b-a55b', '2026-08-27', undefined],
    ['together', 'deepseek-ai/DeepSeek-V4-Flash-0731', '2026-10-22', 'deepseek-ai/DeepSeek-V4.1-Flash-1017'],
    ['together', 'Qwen/Qwen3.8-2.4T-A95B', '2026-11-04', 'Qwen/Qwen3.7-Max'],
    ['together', 'MiniMaxAI/MiniMax-M3', '2026-11-06', 'MiniMaxAI/MiniMax-M3.1-Flash'],
    ['together', 'thinkingmachines/Inkling', '2026-11-06', 'meta-models/Muse-Spark-Open-816B-A42B'],
    ['together', 'deepseek-ai/DeepSeek-V4-Pro', '2026-10-03', 'deepseek-ai/DeepSeek-V4-Pro-0813'],
    ['together', 'intfloat/multilingual-e5-large-instruct', '2026-10-03', undefined],
    ['together', 'google/gemma-3n-E4B-it', '2026-10-03', undefined],
    ['together', 'pearl-ai/gemma-4-31b-it', '2026-10-03', undefined],
    ['together', 'thinkingmachines/Inkling-Small', '2026-10-03', undefined],
    ['baseten', 'zai-org/GLM-4.7', '2026-10-16', undefined],
    ['baseten', 'moonshotai/Kimi-K2.6', '2026-10-16', undefined],
    ['baseten', 'moonshotai/Kimi-K2.7-Code', '2026-10-16', undefined],
    ['baseten', 'deepseek-ai/DeepSeek-V4-Pro', '2026-10-16', 'deepseek-ai/DeepSeek-V4-Pro-0813'],
    ['baseten', 'thinkingmachines/inkling', '2026-10-16', undefined],
    ['mistral', 'open-mistral-7b', '2026-10-03', undefined],
    ['mistral', 'open-mixtral-8x7b', '2026-10-03', undefined],
  ])('%s had %s until %s: %o', ([list, model, until, successor]) => {
    const question = at(list, model)
    const gone = { state: 'retired', sinceEpochMs: day(until), successor }
    expect(book.presence(question, day(today))).toEqual(gone)
    expect(book.presence(question, day(until) - 1)).toBeUndefined()
    expect(book.find(question, day(today))?.isFirm).toBe(false)
    expect(book.find(question, day(until) - 1)?.price).toEqual(book.find(question, day(today))?.price)
  })
})

describe('an old record can be recomputed', () => {
  test.for<[string, string, string, Amounts | undefined]>([
    ['together', 'meta-llama/Llama-3.3-70B-Instruct-Turbo', '2026-07-15', [0.88, 0.88]],
    ['together', 'meta-llama/Llama-3.3-70B-Instruct-Turbo', '2026-08-18', [1.04, 1.04]],
    ['together', 'Qwen/Qwen3.7-Max', '2026-09-01', [1.25, 3.75, 0.125]],
    ['together', 'Qwen/Qwen3.7-Max', '2026-10-10', [1.5, 4.5, 0.3]],
    ['together', 'Qwen/Qwen3.7-Max', '2026-10-21', [2.5, 7.5, 0.5]],
    ['together', 'Qwen/Qwen3-235B-A22B-Instruct-2507-tput', '2026-07-15', [0.2, 0.6]],
    ['baseten', 'deepseek-ai/DeepSeek-V4-Pro', '2026-09-01', [1.74, 3.48, 0.145]],
    // Listed at 0, because it is not served.
    ['together', 'google/gemma-3-27b-it', '2026-09-01', undefined],
    ['runpod', 'Qwen/Qwen3-32B-AWQ', today, undefined],
    ['pandotate', 'mistral-7b', today, undefined],
  ])('%s: %s on %s at %j', ([list, model, date, amounts]) => {
    const { price } = book.find(at(list, model), day(date)) ?? {}
    expect(price).toEqual(
      amounts && {
        inputNanoUsdPerMillion: nano(amounts[0]),
        outputNanoUsdPerMillion: nano(amounts[1]),
        cachedInputNanoUsdPerMillion: nano(amounts[2]),
        nanoUsdPerSecond: undefined,
      },
    )
  })
})

describe('abilities of a model are reported if the sources agree', () => {
  test.for<[string, string, boolean | undefined]>([
    ['together', 'openai/gpt-oss-120b', false],
    ['baseten', 'openai/gpt-oss-120b', false],
    ['baseten', 'zai-org/GLM-5.3', true],
    ['together', 'moonshotai/Kimi-K3.1-Pro', true],
    // LiteLLM and pi-ai disagree.
    ['baseten', 'zai-org/GLM-5.2', undefined],
    ['together', 'Qwen/Qwen3.8-Flash', undefined],
  ])('%s’s %s takes images: %o', ([list, model, vision]) => {
    expect(book.traits(at(list, model), day(today)).vision).toBe(vision)
  })
})

describe('hardware', () => {
  test.for<[string, string, number]>([
    ['runpod', '16GB', 160_000],
    ['runpod', '24GB', 190_000],
    ['runpod', '48GB', 530_000],
    ['runpod', 'A40', 340_000],
    ['runpod', 'L40S', 530_000],
    ['runpod', '4090', 310_000],
    ['runpod', 'A100', 760_000],
    ['runpod', '96GB', 1_110_000],
    ['runpod', 'H100', 1_160_000],
    ['runpod', 'H200', 1_550_000],
    ['runpod', 'B200', 2_400_000],
    ['baseten', 'L4', 236_111],
    ['baseten', 'H100-MIG', 1_041_667],
    ['baseten', 'H100', 1_805_556],
  ])('has a price per second of %s’s %s: %i nano-USD', ([type, gpu, nanoUsd]) => {
    const found = book.find(onGpu(type, gpu), day(today))
    expect(found?.price).toEqual({ ...unknownPrice, nanoUsdPerSecond: nanoUsd })
    expect(found?.source).toBe('shipped')
  })

  test('is billed per millisecond', () => {
    const { price = unknownPrice } = book.find(onGpu('runpod', 'H100'), day(today)) ?? {}
    const used = { promptTokens: 9, cachedTokens: 0, completionTokens: 9, workedMs: 1437 }
    expect(costNanoUsd(price, used)).toBe(1_666_920)
  })

  test('is listed for providers with prices for it', () => {
    const runpod = ['16GB', '24GB', '48GB', 'A40', 'L40S', '4090', 'A100', '96GB', 'H100', 'H200', 'B200']
    expect(hardwareNames(catalog, 'runpod')).toEqual(runpod)
    expect(hardwareNames(catalog, 'baseten')).toEqual(['L4', 'A10G', 'H100-MIG', 'A100', 'H100', 'B200'])
    expect(hardwareNames(catalog, 'together')).toEqual([])
  })

  test('does not price a model by the name of its hardware', () => {
    for (const model of ['gpu:H100', 'H100', 'public:gpt-oss-120b']) {
      expect(book.find(at('runpod', model), day(today))).toBeUndefined()
      expect(book.find(at('baseten', model), day(today))).toBeUndefined()
    }
  })
})

describe('every row', () => {
  test('of a chat has a price within ten times the usual', () => {
    for (const { model, kind = 'chat', price = {} } of catalog.models) {
      if (kind !== 'chat') continue
      const [input, output] = [Number(price.input), Number(price.output)]
      expect(input, model).toBeGreaterThan(0)
      expect(output / input, model).toBeGreaterThanOrEqual(1)
      expect(output / input, model).toBeLessThanOrEqual(10)
      expect(output, model).toBeLessThanOrEqual(15)
      if (price.cachedInput !== undefined) expect(Number(price.cachedInput), model).toBeLessThanOrEqual(input)
    }
  })

  test('names its source, its address, and the day', () => {
    const rows = [...catalog.models, ...catalog.hardware]
    for (const { sources } of rows) {
      for (const source of sources) expect(catalog.sources[source]?.url).toMatch(/^https:\/\//)
    }
    expect(rows.length).toBeGreaterThan(150)
  })
})
