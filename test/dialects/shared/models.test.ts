import { describe, expect, test } from 'vitest'
import type { DeploymentReport } from '../../../src/core/health/health-registry.ts'
import type { Deployment } from '../../../src/core/model/ports.ts'
import { type Price, unknownPrice } from '../../../src/core/model/price.ts'
import {
  modelNameOf,
  type ReportedDeployment,
  renderModel,
  renderModels,
} from '../../../src/dialects/shared/models.ts'
import { aDeployment, scriptedUpstream } from '../../harness/scripted-upstream.ts'

const nowhere = { ownedBy: 'pandotate', deployments: [] }
const place = (change: Partial<Deployment> = {}, report?: DeploymentReport): ReportedDeployment => ({
  deployment: aDeployment(scriptedUpstream([[]], { name: 'first' }), { id: 'm@first', ...change }),
  report,
})
const priced = (price: Partial<Price>) => place({ price: { ...unknownPrice, ...price } })
const rendered = (...deployments: ReportedDeployment[]) =>
  renderModel({ id: 'm', ownedBy: 'first', deployments }, 5)

test('The list of models has what SDKs read of each', () => {
  const models = [
    { id: 'mistral-7b', ...nowhere },
    { id: 'meta-llama/Llama-3 8B', ...nowhere },
  ]
  const common = { object: 'model', created: 1700000000, owned_by: 'pandotate', deployments: [] }
  expect(renderModels(models, 1700000000)).toEqual({
    object: 'list',
    data: [
      { id: 'mistral-7b', ...common },
      { id: 'meta-llama/Llama-3 8B', ...common },
    ],
  })
})

test('A list without models is a list', () => {
  expect(renderModels([], 1700000000)).toEqual({ object: 'list', data: [] })
})

test('One model is what it is in the list', () => {
  const model = { id: 'a/b', ...nowhere }
  expect(renderModels([model], 5)).toEqual({ object: 'list', data: [renderModel(model, 5)] })
})

describe('What is known of a model', () => {
  test('is left out where nothing is', () => {
    expect(rendered(place())).toEqual({
      ...{ id: 'm', object: 'model', created: 5, owned_by: 'first' },
      deployments: [{ id: 'm@first', provider: 'first' }],
    })
  })

  test('is the largest context, and each deployment’s own', () => {
    const model = rendered(
      place({ traits: { contextTokens: 4096, maxOutputTokens: 512 } }),
      place(),
      place({ traits: { contextTokens: 8192 } }),
    )
    expect(model).toMatchObject({
      context_length: 8192,
      deployments: [{ context_length: 4096, max_completion_tokens: 512 }, {}, { context_length: 8192 }],
    })
  })

  test.for<[Partial<Price>, object | undefined]>([
    [{}, undefined],
    [
      { inputNanoUsdPerMillion: 880_000_000, outputNanoUsdPerMillion: 1 },
      { prompt: '0.00000088', completion: '0.000000000000001' },
    ],
    [
      { inputNanoUsdPerMillion: 0, outputNanoUsdPerMillion: 0 },
      { prompt: '0', completion: '0' },
    ],
    [
      { inputNanoUsdPerMillion: 10_000_000_000_000_000, cachedInputNanoUsdPerMillion: 2_500_000_000 },
      { prompt: '10', input_cache_read: '0.0000025' },
    ],
    [{ outputNanoUsdPerMillion: 100_000_000 }, { completion: '0.0000001' }],
    [{ nanoUsdPerSecond: 760_000, inputNanoUsdPerMillion: 5 }, { second: '0.00076' }],
    [{ nanoUsdPerRequest: 10_000_000_000 }, { request: '10' }],
  ])('is its price, exactly: %j', ([price, pricing]) => {
    const model = rendered(priced(price), priced({ inputNanoUsdPerMillion: 7 }))
    expect(model['pricing']).toEqual(pricing)
    expect(model['deployments']).toMatchObject([
      pricing === undefined ? {} : { pricing },
      { pricing: { prompt: '0.000000000000007' } },
    ])
  })
})

describe("A model's name in a path", () => {
  test.for([
    ['mistral-7b', 'mistral-7b'],
    ['meta-llama/Llama-3', 'meta-llama/Llama-3'],
    ['meta-llama%2FLlama-3%208B', 'meta-llama/Llama-3 8B'],
    ['a+b', 'a+b'],
    ['a%252Fb', 'a%2Fb'],
    ['%E6%A8%A1', '模'],
  ] as const)('is decoded once: %s', ([encoded, name]) => {
    expect(modelNameOf(encoded)).toBe(name)
  })

  test.for(['%zz', 'a%', '%E6%A8'])('is not found when it cannot be decoded: %s', (encoded) => {
    expect(() => modelNameOf(encoded)).toThrow(
      expect.objectContaining({
        kind: 'model_not_found',
        status: 404,
        code: 'model_not_found',
        message: `The model \`${encoded}\` does not exist or you do not have access to it.`,
      }),
    )
  })
})
