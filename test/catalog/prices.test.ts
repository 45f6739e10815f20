import { describe, expect, test } from 'vitest'
import { hardwareNames, hardwarePrices } from '../../src/catalog/hardware.ts'
import { createPriceBook } from '../../src/catalog/price-book.ts'
import { shippedPrices } from '../../src/catalog/prices.ts'
import { costNanoUsd, unknownPrice } from '../../src/core/model/price.ts'

const book = createPriceBook({ shipped: shippedPrices, hardware: hardwarePrices })
const day = (date: string) => Date.parse(date)
const at = (list: string, model: string) => ({ provider: { name: 'here', type: list, list }, model })
const onGpu = (type: string, gpu: string, gpus = 1) => ({
  provider: { name: 'here', type, list: undefined },
  model: 'mine',
  own: [{ gpu, gpus }],
})

describe('what is shipped', () => {
  test.for<[string, string, string, number | undefined, number | undefined, number | undefined]>([
    ['together', 'Qwen/Qwen2.5-7B-Instruct-Turbo', '2026-11-23', 0.3, 0.3, undefined],
    ['together', 'meta-llama/Llama-3.3-70B-Instruct-Turbo', '2026-08-17', 0.88, 0.88, undefined],
    ['together', 'meta-llama/Llama-3.3-70B-Instruct-Turbo', '2026-08-18', 1.04, 1.04, undefined],
    ['together', 'Qwen/Qwen3-235B-A22B-Instruct-2507-tput', '2026-07-15', 0.2, 0.6, undefined],
    ['together', 'Qwen/Qwen3-235B-A22B-Instruct-2507-tput', '2026-11-23', undefined, undefined, undefined],
    ['together', 'zai-org/GLM-5.2', '2026-11-23', 1.4, 4.4, 0.26],
    ['together', 'moonshotai/Kimi-K3', '2026-11-23', 3, 15, 0.3],
    // Listed at 0, for it is not served.
    ['together', 'google/gemma-3-27b-it', '2026-11-23', undefined, undefined, undefined],
    ['baseten', 'openai/gpt-oss-120b', '2026-11-23', 0.1, 0.5, 0.1],
    ['baseten', 'zai-org/GLM-5.2', '2026-11-23', 1.4, 4.4, 0.14],
    ['baseten', 'zai-org/GLM-5.2-Fast', '2026-11-23', 2.1, 6.6, undefined],
    ['baseten', 'deepseek-ai/DeepSeek-V4-Pro', '2026-11-23', 1.74, 3.48, 0.145],
    ['baseten', 'deepseek-ai/DeepSeek-V4-Pro-0813', '2026-11-23', 1.32, 3.96, 0.132],
    ['mistral', 'open-mistral-7b', '2026-11-23', 0.25, 0.25, undefined],
    ['runpod', 'Qwen/Qwen3-32B-AWQ', '2026-11-23', undefined, undefined, undefined],
    ['pandotate', 'mistral-7b', '2026-11-23', undefined, undefined, undefined],
    ['simulator', 'mistral-7b', '2026-11-23', undefined, undefined, undefined],
  ])(
    'has %s ask for %s, on %s, %o USD in and %o out, %o for cached input',
    ([type, model, date, input, output, cached]) => {
      const nano = (usd: number | undefined) => (usd === undefined ? undefined : Math.round(usd * 1e9))
      expect(book.find(at(type, model), day(date))?.price ?? unknownPrice).toEqual({
        inputNanoUsdPerMillion: nano(input),
        outputNanoUsdPerMillion: nano(output),
        cachedInputNanoUsdPerMillion: nano(cached),
        nanoUsdPerSecond: undefined,
      })
    },
  )

  test('has a second on RunPod’s H100, and 1437 ms of it', () => {
    const { price = unknownPrice } = book.find(onGpu('runpod', 'H100'), day('2026-11-23')) ?? {}
    expect(price.nanoUsdPerSecond).toBe(1_160_000)
    const used = { promptTokens: 9, cachedTokens: 0, completionTokens: 9, workedMs: 1437 }
    expect(costNanoUsd(price, used)).toBe(1_666_920)
  })

  test.for<[string, string, number]>([
    ['runpod', '16GB', 160_000],
    ['runpod', '24GB', 190_000],
    ['runpod', '48GB', 530_000],
    ['runpod', '4090', 310_000],
    ['runpod', 'A100', 760_000],
    ['runpod', 'H200', 1_550_000],
    ['runpod', 'B200', 2_400_000],
    ['baseten', 'L4', 236_111],
    ['baseten', 'H100-MIG', 1_041_667],
    ['baseten', 'H100', 1_805_556],
  ])('has a second on %s’s %s, for %i nano-USD', ([type, gpu, nanoUsd]) => {
    const found = book.find(onGpu(type, gpu), day('2026-11-23'))
    expect(found?.price).toEqual({ ...unknownPrice, nanoUsdPerSecond: nanoUsd })
    expect(found?.source).toBe('shipped')
  })

  test('names the hardware that each has prices for', () => {
    expect(hardwareNames('runpod')).toEqual(['16GB', '24GB', '48GB', '4090', 'A100', 'H100', 'H200', 'B200'])
    expect(hardwareNames('baseten')).toEqual(['L4', 'A10G', 'H100-MIG', 'A100', 'H100', 'B200'])
    expect(hardwareNames('together')).toEqual([])
  })

  test('prices no model by the name of what it runs on', () => {
    for (const model of ['gpu:H100', 'H100', 'public:gpt-oss-120b']) {
      expect(book.find(at('runpod', model), day('2026-11-23'))).toBeUndefined()
      expect(book.find(at('baseten', model), day('2026-11-23'))).toBeUndefined()
    }
  })

  test('has no two entries of one model from the same day', () => {
    const entries = [...shippedPrices, ...hardwarePrices]
    const keys = entries.map(({ provider, model, from }) => `${provider} ${model} ${from}`)
    expect(keys.filter((key, place) => keys.indexOf(key) !== place)).toEqual([])
  })

  test('has no price of 0, and none that is ten times what is usual', () => {
    for (const entry of shippedPrices) {
      if (!('input' in entry.price)) continue
      const [input, output] = [Number(entry.price.input), Number(entry.price.output)]
      expect(input, entry.model).toBeGreaterThan(0)
      expect(output / input, entry.model).toBeGreaterThanOrEqual(1)
      expect(output / input, entry.model).toBeLessThanOrEqual(10)
      expect(output, entry.model).toBeLessThanOrEqual(15)
    }
  })

  test('says what is hearsay', () => {
    expect(book.find(at('together', 'openai/gpt-oss-20b'), day('2026-11-23'))?.isFirm).toBe(true)
    expect(book.find(at('baseten', 'zai-org/GLM-5.3'), day('2026-11-23'))?.isFirm).toBe(false)
  })
})
