import { describe, expect, test } from 'vitest'
import { modelNameOf, renderModel, renderModels } from '../../src/dialects/models.ts'

test('The list of models has what SDKs read of each', () => {
  const models = [
    { id: 'mistral-7b', ownedBy: 'pandotate' },
    { id: 'meta-llama/Llama-3 8B', ownedBy: 'together' },
  ]
  expect(renderModels(models, 1700000000)).toEqual({
    object: 'list',
    data: [
      { id: 'mistral-7b', object: 'model', created: 1700000000, owned_by: 'pandotate' },
      { id: 'meta-llama/Llama-3 8B', object: 'model', created: 1700000000, owned_by: 'together' },
    ],
  })
})

test('A list without models is a list', () => {
  expect(renderModels([], 1700000000)).toEqual({ object: 'list', data: [] })
})

test('One model is what it is in the list', () => {
  const model = { id: 'a/b', ownedBy: 'pandotate' }
  expect(renderModels([model], 5)).toEqual({ object: 'list', data: [renderModel(model, 5)] })
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
