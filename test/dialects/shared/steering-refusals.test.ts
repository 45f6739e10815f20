import { describe, expect, test } from 'vitest'
import type { Call } from '../../../src/core/model/call.ts'
import { Failure } from '../../../src/core/model/failure.ts'
import type { JsonObject } from '../../../src/core/model/json/json.ts'
import { chat } from '../../../src/dialects/openai/chat.ts'
import { callOf } from '../../../src/dialects/shared/call.ts'
import { incoming, refusalOf } from '../requests.ts'
import { empty, low, wrong } from '../wording.ts'

const plain = { model: 'm', messages: [{ role: 'user', content: 'Hello' }] }

describe('a body at fault is refused by the exact field', () => {
  const aPrice = 'USD as a decimal number or string with at most nine decimal places'
  type Case = readonly [JsonObject, string, string]
  const cases: readonly Case[] = [
    [{ models: 'a' }, wrong('models', 'an array of strings', 'a string'), 'models'],
    [{ models: ['a', 5] }, wrong('models[1]', 'a string', 'an integer'), 'models[1]'],
    [{ models: [''] }, wrong('models[0]', 'a name', 'a string'), 'models[0]'],
    [
      { models: Array.from({ length: 33 }, (_, index) => `m${index}`) },
      "Invalid 'models': array too long. Expected an array with maximum length 32, but got an array with length 33 instead.",
      'models',
    ],
    [{ provider: 'together' }, wrong('provider', 'an object', 'a string'), 'provider'],
    [
      { provider: { order: 'x' } },
      wrong('provider.order', 'an array of strings', 'a string'),
      'provider.order',
    ],
    [{ provider: { order: [{}] } }, wrong('provider.order[0]', 'a string', 'an object'), 'provider.order[0]'],
    [{ provider: { only: [] } }, empty('provider.only'), 'provider.only'],
    [
      { provider: { ignore: [1] } },
      wrong('provider.ignore[0]', 'a string', 'an integer'),
      'provider.ignore[0]',
    ],
    [
      { provider: { sort: 'fast' } },
      "Invalid value: 'fast'. Supported values are: 'price', 'throughput', and 'latency'.",
      'provider.sort',
    ],
    [
      { provider: { sort: 1 } },
      wrong('provider.sort', 'one of a string or object', 'an integer'),
      'provider.sort',
    ],
    [
      { provider: { sort: { by: 'cost' } } },
      "Invalid value: 'cost'. Supported values are: 'price', 'throughput', and 'latency'.",
      'provider.sort.by',
    ],
    [
      { provider: { max_price: 1 } },
      wrong('provider.max_price', 'an object', 'an integer'),
      'provider.max_price',
    ],
    [
      { provider: { max_price: { prompt: -1 } } },
      low('provider.max_price.prompt', 'decimal', 0, -1),
      'provider.max_price.prompt',
    ],
    ...['', ' 1', '-1', '1e3', 'free', '0.0000000001', '1234567890123'].map(
      (completion): Case => [
        { provider: { max_price: { completion } } },
        `Invalid 'provider.max_price.completion': expected ${aPrice}, but got '${completion}' instead.`,
        'provider.max_price.completion',
      ],
    ),
    [
      { provider: { max_price: { request: true } } },
      wrong('provider.max_price.request', 'one of a decimal or string', 'a boolean'),
      'provider.max_price.request',
    ],
    [
      { provider: { allow_fallbacks: 'no' } },
      wrong('provider.allow_fallbacks', 'a boolean', 'a string'),
      'provider.allow_fallbacks',
    ],
  ]
  test.for(cases)('%j', ([body, message, param]) => {
    expect(refusalOf(chat, { ...plain, ...body })).toMatchObject({ status: 400, message, param })
  })
})

describe('a header at fault is refused by its name', () => {
  const names = (limit: number) => `1 to ${limit} names, separated by commas`
  const cap =
    'USD for each of prompt, completion and request that has a cap, such as prompt=0.5, request=0.01'
  const strategies = 'one of fallback, first, weighted, cheapest, fastest, balanced, value'
  type Case = readonly [string, string, string]
  const cases: readonly Case[] = [
    ['x-pandotate-models', '', names(32)],
    ['x-pandotate-models', 'a,'.repeat(33), names(32)],
    ['x-pandotate-provider-order', ' , ', names(128)],
    ['x-pandotate-provider-only', '', names(128)],
    ['x-pandotate-provider-ignore', 'a,'.repeat(129), names(128)],
    ['x-pandotate-provider-sort', 'cost', 'one of price, throughput, latency'],
    ['x-pandotate-strategy', 'constructor', strategies],
    ['x-pandotate-strategy', 'Cheapest', strategies],
    ['x-pandotate-provider-max-price', '', cap],
    ['x-pandotate-provider-max-price', '1', cap],
    ['x-pandotate-provider-max-price', 'prompt', cap],
    ['x-pandotate-provider-max-price', 'prompt=', cap],
    ['x-pandotate-provider-max-price', 'prompt=-1', cap],
    ['x-pandotate-provider-max-price', 'prompt=1=2', cap],
    ['x-pandotate-provider-max-price', 'prompt=1,prompt=2', cap],
    ['x-pandotate-provider-max-price', 'prompt=1,image=2', cap],
    ['x-pandotate-provider-allow-fallbacks', 'no', 'one of true, false'],
  ]
  test.for(cases)('%s: %j', ([name, text, phrase]) => {
    const overruled = { provider: { sort: 'price', allow_fallbacks: true, max_price: { prompt: 1 } } }
    for (const body of [{}, overruled]) {
      expect(refusal(() => parse({ ...plain, ...body }, { [name]: text }))).toMatchObject({
        message: `The header ${name} must be ${phrase}.`,
        param: name,
      })
    }
  })
})

describe('what is not heeded here is refused where OpenAI would refuse it', () => {
  test.for([
    [{ provider: { zdr: true } }, 'provider.zdr'],
    [{ provider: { order: ['x'], quantizations: [] } }, 'provider.quantizations'],
    [{ provider: { sort: { by: 'price', partition: 'none' } } }, 'provider.sort.partition'],
    [{ provider: { max_price: { prompt: 1, image: 1 } } }, 'provider.max_price.image'],
  ] as const)('%j', ([body, param]) => {
    const request = { ...plain, ...body }
    expect(refusal(() => callOf(incoming(request, true), 'chat', 'chat'))).toEqual({
      message: `Unrecognized request argument supplied: ${param}`,
      param,
      code: 'unknown_parameter',
    })
    expect(() => callOf(incoming(request), 'chat', 'chat')).not.toThrow()
  })

  test('and what is heeded is not', () => {
    const provider = { order: ['x'], sort: { by: 'price' }, max_price: { prompt: 1 }, zdr: null }
    const call = callOf(incoming({ ...plain, models: ['a'], provider }, true), 'chat', 'chat')
    expect(call.steering).toMatchObject({ models: ['a'], order: ['x'], strategy: 'cheapest' })
  })
})

function parse(body: JsonObject, headers: Readonly<Record<string, string>>): Call {
  return chat.parse({ ...incoming(body), headers: (name) => headers[name] })
}

function refusal(ask: () => unknown): { message: string; param: string | null; code: string | null } {
  try {
    ask()
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown
    const { kind, status, message, param, code } = thrown
    expect({ kind, status }).toEqual({ kind: 'invalid_request', status: 400 })
    return { message, param, code }
  }
  throw new Error('It was accepted.')
}
