import { describe, expect, test } from 'vitest'
import type { Upstream } from '../../src/core/model/ports.ts'
import { providers } from '../../src/providers/all.ts'
import { tools } from '../harness/tools.ts'

const elsewhere = 'http://127.0.0.1:9/v1'
const deployment = { model: 'abc123' }
const endpoint = { endpointId: 'ep1' }

/** An upstream of a type, under that name or another. Nothing is asked of it. */
function create(type: string, input: object, name = type): Upstream & AsyncDisposable {
  const provider = providers.find((one) => one.type === type)
  if (provider === undefined) throw new Error(`no provider is called ${type}`)
  const upstream = provider.create(name, provider.settings.parse(input), tools)
  return { ...upstream, [Symbol.asyncDispose]: () => upstream.close() }
}

describe('without a key, nothing is sent to where none is served without', () => {
  test.for<[string, object, string]>([
    ['together', {}, 'TOGETHER_API_KEY'],
    ['baseten', {}, 'BASETEN_API_KEY'],
    ['baseten', { deployment }, 'BASETEN_API_KEY'],
    ['baseten', { deployment, predict: true }, 'BASETEN_API_KEY'],
    ['runpod', endpoint, 'RUNPOD_API_KEY'],
    ['runpod', { ...endpoint, loadBalancer: true }, 'RUNPOD_API_KEY'],
    ['runpod', { ...endpoint, mode: 'jobs' }, 'RUNPOD_API_KEY'],
    ['openai-compatible', { preset: 'groq' }, 'providers.openai-compatible.apiKey'],
    ['openai-compatible', { preset: 'openai' }, 'providers.openai-compatible.apiKey'],
    ['pandotate', {}, 'PANDOTATE_API_KEY'],
  ])('%s with %j, which tells what would give it one', async ([type, input, keySetting]) => {
    await using upstream = create(type, input)
    expect(upstream.admits(undefined)).toBe(false)
    expect(upstream.keySetting).toBe(keySetting)
    await using keyed = create(type, { ...input, apiKey: 'own-key' })
    expect(keyed.admits(undefined)).toBe(true)
  })

  test.for(['together', 'baseten', 'pandotate'])('%s by another name has no variable', async (type) => {
    await using upstream = create(type, {}, 'mine')
    expect(upstream.keySetting).toBe('providers.mine.apiKey')
  })

  test.for<[string, object, boolean]>([
    ['pandotate', {}, true],
    ['together', {}, false],
    ['baseten', {}, false],
    ['runpod', endpoint, false],
    ['openai-compatible', { preset: 'openai' }, false],
  ])('%s with %j accepts a caller’s own key instead: %s', async ([type, input, isTaken]) => {
    await using upstream = create(type, input)
    expect(upstream.admits('pk_of_a_caller')).toBe(isTaken)
    expect(upstream.callerKey !== undefined).toBe(isTaken)
  })
})

test.for<[string, object]>([
  ['together', { baseUrl: elsewhere }],
  ['baseten', { baseUrl: elsewhere }],
  ['baseten', { baseUrl: elsewhere, deployment }],
  ['baseten', { baseUrl: elsewhere, deployment, predict: true }],
  ['runpod', { ...endpoint, baseUrl: elsewhere }],
  ['runpod', { ...endpoint, baseUrl: elsewhere, mode: 'jobs' }],
  ['openai-compatible', { baseUrl: elsewhere }],
  ['openai-compatible', { preset: 'groq', baseUrl: elsewhere }],
  ['openai-compatible', { preset: 'groq', headers: { 'x-key': 'own' } }],
  ['openai-compatible', { preset: 'ollama' }],
  ['pandotate', { url: elsewhere }],
  ['simulator', {}],
])('%s with %j goes without a key', async ([type, input]) => {
  await using upstream = create(type, input)
  expect(upstream.admits(undefined)).toBe(true)
})
