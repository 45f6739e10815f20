import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../../src/core/model/json/json.ts'
import { unknownPrice } from '../../../src/core/model/price.ts'
import { createStickiness, prefixKeyOf, type Stickiness } from '../../../src/core/plan/stickiness.ts'
import { type HandClock, handClock, namesOf, poolOf, type Row } from '../../harness/core/pool.ts'
import { aCall } from '../../harness/scripted-upstream.ts'

/** In nano-USD: cached input costs a tenth of other input. */
const price = {
  ...unknownPrice,
  inputNanoUsdPerMillion: 1_000_000,
  cachedInputNanoUsdPerMillion: 100_000,
  outputNanoUsdPerMillion: 1_000_000,
}
const key = 1
const settings = { capacity: 3, idleMs: 1000 }

describe('the deployment that answered this prefix of 1000 tokens before', () => {
  /** With 1000 prompt tokens, 900 nano-USD are saved there. */
  const cases: [string, Row, Row, string][] = [
    ['goes first if it is cheaper', {}, {}, 'sticky'],
    ['goes first though it costs a little more', { cost: 1899 }, { cost: 1000 }, 'sticky'],
    ['stays if it costs as much as is saved', { cost: 1900 }, { cost: 1000 }, 'front'],
    [
      'stays if cached input is not cheaper',
      { deployment: { price: { ...price, cachedInputNanoUsdPerMillion: 1_000_000 } } },
      {},
      'front',
    ],
    [
      'stays if cached input has no price of its own',
      { deployment: { price: { ...price, cachedInputNanoUsdPerMillion: undefined } } },
      {},
      'front',
    ],
    ['stays if its cost is unknown', { cost: undefined }, {}, 'front'],
    ['stays if the cost of the first one is unknown', {}, { cost: undefined }, 'front'],
    ['stays while it is being probed', { breaker: 'half-open' }, {}, 'front'],
    ['stays while it is sick', { breaker: 'open' }, {}, 'front'],
    ['stays while its rate is limited', { share: 0.9 }, {}, 'front'],
    ['stays while it is drained', { deployment: { price, weight: 0 } }, {}, 'front'],
  ]
  test.for(cases)('%s', ([_, sticky, front, expected]) => {
    const stickiness = createStickiness(handClock(), settings)
    const pool = poolOf({
      front: { cost: 1000, deployment: { price }, ...front },
      other: { cost: 1000 },
      sticky: { cost: 1000, deployment: { price }, ...sticky },
    })
    stickiness.remember(key, 'some-model@sticky', 1000)
    const names = expected === 'sticky' ? ['sticky', 'front', 'other'] : ['front', 'other', 'sticky']
    expect(namesOf(stickiness.prefer(key, pool, 1200))).toEqual(names)
  })

  test.for([
    [1000, 500, 1449, 'sticky'],
    [1000, 500, 1450, 'front'],
    [500, 1000, 1449, 'sticky'],
    [500, 1000, 1450, 'front'],
  ] as const)('with %i tokens then and %i now, at %i nano-USD: %s', ([then, now, cost, expected]) => {
    const stickiness = createStickiness(handClock(), settings)
    stickiness.remember(key, 'some-model@sticky', then)
    const pool = poolOf({ front: { cost: 1000 }, sticky: { cost, deployment: { price } } })
    expect(namesOf(stickiness.prefer(key, pool, now))[0]).toBe(expected)
  })

  test('goes before an order that has only the first places', () => {
    const stickiness = createStickiness(handClock(), settings)
    const pool = poolOf({
      front: { cost: 1000 },
      second: { cost: 1100 },
      sticky: { cost: 1200, deployment: { price } },
    })
    stickiness.remember(key, 'some-model@sticky', 1000)
    const names = namesOf(stickiness.prefer(key, pool.slice(0, 2), 1000, pool))
    expect(names).toEqual(['sticky', 'front', 'second'])
  })

  test('is only preferred if it is a candidate', () => {
    const stickiness = createStickiness(handClock(), settings)
    const pool = poolOf({ front: { cost: 1000 } })
    stickiness.remember(key, 'some-model@gone', 1000)
    expect(stickiness.prefer(key, pool, 1000)).toBe(pool)
    expect(stickiness.prefer(key, [], 1000)).toEqual([])
  })

  test('is the latest one that answered', () => {
    const stickiness = createStickiness(handClock(), settings)
    stickiness.remember(key, 'some-model@front', 1000)
    stickiness.remember(key, 'some-model@sticky', 1000)
    expect(firstFor(stickiness, key)).toBe('sticky')
    stickiness.remember(key, 'some-model@front', 1000)
    expect(firstFor(stickiness, key)).toBe('front')
  })
})

describe('what is remembered', () => {
  test('is forgotten when unused for a while', () => {
    const { stickiness, clock } = remembering(1)
    clock.move(1000)
    expect(firstFor(stickiness, 1)).toBe('sticky')
    clock.move(1)
    expect(firstFor(stickiness, 1)).toBe('front')
  })

  test('is limited: the least recently used is evicted first', () => {
    const { stickiness } = remembering(1, 2, 3, 1, 4)
    expect([1, 2, 3, 4].map((one) => firstFor(stickiness, one))).toEqual([
      'sticky',
      'front',
      'sticky',
      'sticky',
    ])
  })
})

describe('the key of a chat', () => {
  const system = { role: 'system', content: 'You are brief. '.repeat(200) }
  const user = { role: 'user', content: 'What is a gateway?' }
  const chat = [system, user]
  const key = keyOf({ messages: chat })

  const same: [string, JsonObject][] = [
    ['over its turns', { messages: [...chat, { role: 'assistant', content: 'A door.' }, user] }],
    ['with other parameters', { messages: chat, temperature: 1, max_tokens: 9 }],
  ]
  test.for(same)('is the same %s', ([_, body]) => {
    expect(keyOf(body)).toBe(key)
  })

  const others: [string, JsonObject][] = [
    ['another first question', { messages: [system, { role: 'user', content: 'What is a bridge?!' }] }],
    [
      'another question of the same length, the system prompt being long',
      { messages: [system, { role: 'user', content: 'What is a garage??' }] },
    ],
    [
      'another end of a long question',
      { messages: [system, { role: 'user', content: `${'word '.repeat(99)}b` }] },
    ],
    ['another system prompt', { messages: [{ ...system, content: `Now, ${system.content}` }, user] }],
    ['a longer system prompt', { messages: [{ ...system, content: `${system.content} Really.` }, user] }],
    ['another role', { messages: [{ ...system, role: 'developer' }, user] }],
    ['no system prompt', { messages: [user] }],
    ['nothing', { messages: [] }],
    ['no list', { messages: 'What?' }],
  ]
  test.for(others)('differs for %s', ([_, body]) => {
    expect(keyOf(body)).not.toBe(key)
  })

  test('differs per tenant and per model', () => {
    const call = aCall({ kind: 'chat', body: { messages: chat } })
    const keys = [
      prefixKeyOf(call, undefined),
      prefixKeyOf(call, 'a'),
      prefixKeyOf(call, 'b'),
      prefixKeyOf({ ...call, model: 'other-model' }, 'a'),
    ]
    expect(new Set(keys).size).toBe(keys.length)
  })

  test('reads the text of parts, and where each ends', () => {
    const keys = [['ab', 'c'], ['a', 'bc'], ['abc']].map((texts) =>
      keyOf({ messages: [{ role: 'user', content: texts.map((text) => ({ type: 'text', text })) }] }),
    )
    expect(new Set(keys).size).toBe(3)
  })

  test('is a whole number that fits a double, and nearly always unique', () => {
    const keys = Array.from({ length: 20_000 }, (_, n) =>
      keyOf({ messages: [{ role: 'user', content: `${n}` }] }),
    )
    expect(keys.every((one) => Number.isSafeInteger(one) && one >= 0)).toBe(true)
    expect(new Set(keys).size).toBe(keys.length)
  })

  function keyOf(body: JsonObject): number {
    return prefixKeyOf(aCall({ kind: 'chat', body }), 'tenant')
  }
})

describe('the key of a text', () => {
  const long = 'Once upon a time there was a door. '.repeat(100)
  const keyOf = (prompt: unknown) => prefixKeyOf(aCall({ body: { prompt } }), 'tenant')

  test('is the same while the text grows at its end', () => {
    expect(keyOf(`${long} And then.`)).toBe(keyOf(long))
    const ids = Array.from({ length: 2000 }, (_, id) => id)
    expect(keyOf([...ids, 7])).toBe(keyOf(ids))
  })

  test('is that of the first text of several', () => {
    expect(keyOf(['Once', 'upon'])).toBe(keyOf('Once'))
    expect(keyOf([[1, 2], [3]])).toBe(keyOf([1, 2]))
  })

  test('differs for another beginning', () => {
    const prompts = [long, ` ${long}`, '', 'Once', [1, 2, 3], [12, 3], [...Array(40).fill(1), 2], undefined]
    expect(new Set(prompts.map(keyOf)).size).toBe(prompts.length)
  })
})

function remembering(...keys: readonly number[]): { stickiness: Stickiness; clock: HandClock } {
  const clock = handClock()
  const stickiness = createStickiness(clock, settings)
  for (const one of keys) stickiness.remember(one, 'some-model@sticky', 1000)
  return { stickiness, clock }
}

function firstFor(stickiness: Stickiness, key: number): string | undefined {
  const pool = poolOf({ front: { cost: 1000 }, sticky: { cost: 1000, deployment: { price } } })
  return namesOf(stickiness.prefer(key, pool, 1000))[0]
}
