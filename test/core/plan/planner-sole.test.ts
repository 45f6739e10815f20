import { describe, expect, test } from 'vitest'
import type { Steering } from '../../../src/core/model/call.ts'
import type { JsonObject } from '../../../src/core/model/json/json.ts'
import type { Deployment, Route, Traits } from '../../../src/core/model/ports.ts'
import { planning } from '../../harness/routing.ts'
import { aCall, aDeployment, scriptedUpstream } from '../../harness/scripted-upstream.ts'

const steering: Steering = {
  models: [],
  order: [],
  only: undefined,
  ignore: [],
  strategy: undefined,
  maxPrice: undefined,
  allowFallbacks: true,
}

const tools = [{ type: 'function', function: { name: 'f' } }]
const image = { type: 'image_url', image_url: { url: 'data:,' } }
const plain: JsonObject = { messages: [{ role: 'user', content: 'Hi.' }] }
const long: JsonObject = { messages: [{ role: 'user', content: 'word '.repeat(500) }] }

describe('a model with one known deployment', () => {
  const refused: [string, Traits, JsonObject, string | null, string][] = [
    ['to take no tools', { tools: false }, { ...plain, tools }, 'tools', 'unsupported'],
    [
      'to see nothing',
      { vision: false },
      { messages: [{ role: 'user', content: [image] }] },
      'messages',
      'unsupported',
    ],
    ['to give no logprobs', { logprobs: false }, { ...plain, logprobs: true }, 'logprobs', 'unsupported'],
    ['to hold less', { contextTokens: 50 }, long, null, 'context_length'],
  ]
  test.for(refused)(
    '%s does not get the call, and the explanation says so',
    ([_, traits, body, param, kind]) => {
      const { planner } = planning([routeOf('m', at('a', traits))])
      const call = aCall({ model: 'm', kind: 'chat', body: { model: 'm', ...body } })
      expect(() => planner.plan(call)).toThrow(expect.objectContaining({ kind, param }))
      expect(planner.explain(call).plan).toEqual([])
      expect(
        planner.plan(aCall({ model: 'm', kind: 'chat', body: { model: 'm', ...plain } })).plan[0].id,
      ).toBe('m@a')
    },
  )

  test.for<[string, Traits]>([
    ['nothing of', {}],
    ['to take tools', { tools: true, vision: true, logprobs: true, jsonSchema: true }],
    ['to hold it', { contextTokens: 100_000, maxOutputTokens: 4096 }],
  ])('%s is planned once', ([_, traits]) => {
    const { planner } = planning([routeOf('m', at('a', traits))])
    const call = aCall({ model: 'm', kind: 'chat', body: { model: 'm', ...long, tools } })
    expect(planner.plan(call)).toBe(planner.plan(call))
  })

  test('with slightly less context than estimated gets the call: the estimate may be too high', () => {
    const { planner } = planning([routeOf('m', at('a', { contextTokens: 100 }))])
    const body = { model: 'm', prompt: 'Hi.', max_tokens: 98 }
    expect(planner.plan(aCall({ model: 'm', body })).plan[0].id).toBe('m@a')
  })
})

describe('of several models that a caller accepts', () => {
  const keyed = routeOf('keyed', at('a'))
  const keyless = routeOf('keyless', at('b', {}, false))
  const another = routeOf('another', at('c', {}, false))
  const calling = (model: string, ...models: readonly string[]) =>
    aCall({ model, steering: { ...steering, models } })

  test('a model without a key is skipped', () => {
    const { planner } = planning([keyed, keyless])
    const plan = planner.plan(calling('keyless', 'keyed')).plan
    expect(new Set(plan.map(({ upstream }) => upstream.name))).toEqual(new Set(['a']))
    const after = planner.plan(calling('keyed', 'keyless')).plan
    expect(new Set(after.map(({ upstream }) => upstream.name))).toEqual(new Set(['a']))
  })

  test('if all lack a key, the error is that of the first', () => {
    const { planner } = planning([keyless, another])
    const told = expect.objectContaining({ operatorNote: expect.stringContaining('KEY_OF_B') })
    expect(() => planner.plan(calling('keyless', 'another'))).toThrow(told)
  })
})

function routeOf(pattern: string, ...deployments: readonly Deployment[]): Route {
  return { pattern, strategy: 'fallback', deployments }
}

function at(name: string, traits: Traits = {}, hasKey = true): Deployment {
  const keySetting = `KEY_OF_${name.toUpperCase()}`
  const upstream = scriptedUpstream([[]], { name, admits: () => hasKey, keySetting })
  return aDeployment(upstream, { id: `m@${name}`, traits })
}
