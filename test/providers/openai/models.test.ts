import { expect, test } from 'vitest'
import { unknownPrice } from '../../../src/core/model/price.ts'
import { pricePerToken, readModels } from '../../../src/providers/openai/models.ts'

test.for([
  ['vLLM', { id: 'm', object: 'model', owned_by: 'vllm', root: 'm', max_model_len: 32_768 }, 32_768],
  ['OpenRouter', { id: 'm', context_length: 131_072, top_provider: { context_length: 8192 } }, 131_072],
  ['Groq', { id: 'm', active: true, context_window: 8192 }, 8192],
  ['Mistral', { id: 'm', capabilities: {}, max_context_length: 32_768 }, 32_768],
  ['OpenAI', { id: 'm', object: 'model', created: 1, owned_by: 'system' }, undefined],
  ['a server that does not know', { id: 'm', context_length: null }, undefined],
  ['a server with no number', { id: 'm', context_length: '8192', max_model_len: 0 }, undefined],
] as const)('a model as %s lists it', ([, row, contextTokens]) => {
  const expected = [{ id: 'm', contextTokens, price: unknownPrice }]
  expect(readModels({ object: 'list', data: [row] })).toEqual(expected)
  expect(readModels([row])).toEqual(expected)
})

test('a row without a name is skipped', () => {
  const rows = [{ id: 'a' }, { id: '' }, { id: 7 }, null, 'b', ['c'], { id: 'd' }]
  expect(readModels({ data: rows }).map(({ id }) => id)).toEqual(['a', 'd'])
  expect(readModels({ data: [] })).toEqual([])
})

test.for([[{}], [null], ['text'], [7], [{ data: 'x' }], [{ data: { id: 'm' } }]])(
  '%j is no list of models',
  ([answer]) => {
    expect(() => readModels(answer)).toThrow(expect.objectContaining({ kind: 'invalid_response' }))
  },
)

const free = {
  inputNanoUsdPerMillion: 0,
  cachedInputNanoUsdPerMillion: undefined,
  outputNanoUsdPerMillion: 0,
  nanoUsdPerSecond: undefined,
}

test.for([
  [
    'input, output and cached input',
    {
      prompt: '0.00000125',
      completion: '0.00001',
      request: '0',
      image: '0',
      input_cache_read: '0.000000125',
    },
    {
      ...free,
      inputNanoUsdPerMillion: 1_250_000_000,
      outputNanoUsdPerMillion: 10_000_000_000,
      cachedInputNanoUsdPerMillion: 125_000_000,
    },
  ],
  ['nothing to pay', { prompt: '0', completion: '0' }, free],
  [
    'a charge for each request',
    { prompt: '0', completion: '0', request: '0.005' },
    { ...free, nanoUsdPerRequest: 5_000_000 },
  ],
  [
    'numbers',
    { prompt: 1e-7, completion: 5e-7 },
    { ...free, inputNanoUsdPerMillion: 100_000_000, outputNanoUsdPerMillion: 500_000_000 },
  ],
  ['a price that is not fixed', { prompt: '-1', completion: '-1' }, unknownPrice],
  [
    'a charge that is not fixed for each request',
    { prompt: '1', completion: '1', request: '-1' },
    unknownPrice,
  ],
  ['digits finer than can be counted', { prompt: '0.00000000000000001', completion: 'free' }, unknownPrice],
  ['no prices', {}, unknownPrice],
  ['no section', 'free', unknownPrice],
  ['nothing', undefined, unknownPrice],
] as const)('%s', ([, pricing, price]) => {
  expect(pricePerToken({ id: 'm', pricing })).toEqual(price)
})
