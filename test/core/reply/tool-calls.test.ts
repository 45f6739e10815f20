import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../../src/core/model/json/json.ts'
import {
  createToolCallRepair,
  fillWholeCalls,
  repairWholeToolCalls,
} from '../../../src/core/reply/tool-calls.ts'

const callId = 'chatcmpl-0123456789abcdef01234567'
const made = 'call_89abcdef01234567'

const neat = {
  first: { index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '' } },
  more: { index: 0, function: { arguments: '{}' } },
  second: { index: 1, id: 'b', type: 'function', function: { name: 'g', arguments: '' } },
  moreOfSecond: { index: 1, function: { arguments: '[]' } },
}

describe('well-formed fragments are unchanged', () => {
  test('of several calls, interleaved or in sequence', () => {
    const { first, more, second, moreOfSecond } = neat
    expectUnchanged([[first], [more], [second], [moreOfSecond]])
    expectUnchanged([
      [first, second],
      [more, moreOfSecond],
    ])
    expectUnchanged([[second], [first], [moreOfSecond, more]])
  })

  test('of a call without a function, with unknown fields', () => {
    expectUnchanged([[{ index: 0, id: 'a', type: 'custom', custom: { name: 'f', input: '' } }]])
    expectUnchanged([[{ ...neat.first, odd: 1 }], [{ ...neat.more, odd: 2 }]])
  })
})

describe('malformed fragments', () => {
  type Case = readonly [string, readonly JsonObject[], readonly JsonObject[]]
  const { first, more, second, moreOfSecond } = neat
  const cases: readonly Case[] = [
    [
      'repeated id, type and name',
      [first, { ...first, function: { name: 'f', arguments: '{}' } }],
      [first, more],
    ],
    [
      'nulls for unchanged members',
      [first, { index: 0, id: null, type: null, function: { name: null, arguments: '{}' } }],
      [first, more],
    ],
    [
      'a repeated id with a null name',
      [first, { ...first, function: { name: null, arguments: '{}' } }],
      [first, more],
    ],
    ['no type', [{ index: 0, id: 'a', function: { name: 'f', arguments: '' } }], [first]],
    ['no index, in one call', [without(first, 'index'), { function: { arguments: '{}' } }], [first, more]],
    [
      'no index, in several calls',
      [
        without(first, 'index'),
        { function: { arguments: '{}' } },
        without(second, 'index'),
        { function: { arguments: '[]' } },
      ],
      [first, more, second, moreOfSecond],
    ],
    [
      'no index, but ids that identify the call',
      [
        without(first, 'index'),
        without(second, 'index'),
        { id: 'a', function: { arguments: '{}' } },
        { id: 'b', function: { arguments: '[]' } },
      ],
      [first, second, more, moreOfSecond],
    ],
    [
      'an id and a name that come late',
      [{ index: 0, function: { arguments: '' } }, { index: 0, id: 'a', function: { name: 'f' } }, more],
      [
        { index: 0, id: `${made}0`, type: 'function', function: { arguments: '' } },
        { index: 0, function: { name: 'f' } },
        more,
      ],
    ],
    [
      'an invalid index',
      [
        { ...first, index: -1 },
        { ...more, index: 0.5 },
        { ...second, index: '1' },
      ],
      [first, more, second],
    ],
    ['no id', [{ ...first, id: '' }, more], [{ ...first, id: `${made}0` }, more]],
    ['null for an id', [{ ...second, id: null }], [{ ...second, id: `${made}1` }]],
    ['a late id', [without(first, 'id'), { ...more, id: 'late' }], [{ ...first, id: `${made}0` }, more]],
    [
      'a new id in every fragment of one call',
      [first, { ...more, id: 'x' }, { ...more, id: 'y' }],
      [first, more, more],
    ],
    [
      'arguments as an object',
      [{ ...first, function: { name: 'f', arguments: { city: 'Paris', days: [1] } } }],
      [{ ...first, function: { name: 'f', arguments: '{"city":"Paris","days":[1]}' } }],
    ],
    ['arguments of null', [{ ...first, function: { name: 'f', arguments: null } }], [first]],
    [
      'arguments as a number',
      [first, { index: 0, function: { arguments: 7 } }],
      [first, { index: 0, function: { arguments: '7' } }],
    ],
    [
      'all calls numbered 0, each whole',
      [
        { ...first, function: { name: 'f', arguments: '{}' } },
        { ...second, index: 0, function: { name: 'g', arguments: '[]' } },
        { ...second, index: 0, id: 'c' },
      ],
      [
        { ...first, function: { name: 'f', arguments: '{}' } },
        { ...second, function: { name: 'g', arguments: '[]' } },
        { ...second, index: 2, id: 'c' },
      ],
    ],
    [
      'all calls numbered 0, in pieces',
      [first, more, { ...second, index: 0 }, { ...moreOfSecond, index: 0 }],
      [first, more, second, moreOfSecond],
    ],
    [
      'all calls numbered 0, ids repeated',
      [first, { ...second, index: 0 }, { ...more, id: 'a' }, { ...moreOfSecond, index: 0, id: 'b' }],
      [first, second, more, moreOfSecond],
    ],
    [
      'one id for two calls',
      [first, { ...second, id: 'a' }, more, moreOfSecond],
      [first, { ...second, id: 'a' }, more, moreOfSecond],
    ],
    [
      'a late name',
      [
        { index: 0, id: 'a', type: 'function', function: { name: null, arguments: '' } },
        { index: 0, function: { name: 'f' } },
        { index: 0, function: { name: 'f', arguments: '{}' } },
      ],
      [
        { index: 0, id: 'a', type: 'function', function: { arguments: '' } },
        { index: 0, function: { name: 'f' } },
        more,
      ],
    ],
  ]

  test.for(cases)('%s', ([, given, becomes]) => {
    const together = structuredClone(given) as JsonObject[]
    const repaired = createToolCallRepair(callId).repair(together)
    expect(together).toEqual(becomes)
    expect(repaired).toBe(JSON.stringify(given) !== JSON.stringify(becomes))

    const apart = structuredClone(given) as JsonObject[]
    const repair = createToolCallRepair(callId)
    for (const fragment of apart) repair.repair([fragment])
    expect(apart).toEqual(becomes)
  })
})

// A list of that length would take minutes to search.
test('an index of billions costs nothing', () => {
  const index = 2 ** 32 - 2
  expectUnchanged([[{ ...neat.first, index }], [{ ...neat.more, index }], [{ ...neat.second, index: 0 }]])
})

test('the arguments of well-formed calls stay separate, for any interleaving of fragments', () => {
  const calls = fc.array(fc.array(fc.string(), { maxLength: 4 }), { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(calls, fc.infiniteStream(fc.nat()), (pieces, picks) => {
      const lanes = pieces.map((parts, index) => [
        { index, id: `id-${index}`, type: 'function', function: { name: `f${index}`, arguments: '' } },
        ...parts.map((part) => ({ index, function: { arguments: part } })),
      ])
      const repair = createToolCallRepair(callId)
      const told = pieces.map(() => '')
      while (lanes.some((lane) => lane.length > 0)) {
        const open = lanes.filter((lane) => lane.length > 0)
        const pick: number = picks.next().value
        const fragment = open[pick % open.length]?.shift()
        if (fragment === undefined) continue
        expect(repair.repair([fragment])).toBe(false)
        told[fragment.index] += fragment.function.arguments
      }
      expect(told).toEqual(pieces.map((parts) => parts.join('')))
    }),
  )
})

describe('whole tool calls', () => {
  const whole = { id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }
  const madeAt = (position: number) => ({ ...whole, id: `${made}${position}` })
  type Case = readonly [string, unknown, unknown, boolean]
  const cases: readonly Case[] = [
    ['neat ones', [whole, { ...whole, id: 'b' }], [whole, { ...whole, id: 'b' }], false],
    ['an index besides', [{ ...whole, index: 0 }], [{ ...whole, index: 0 }], false],
    ['no id', [whole, without(whole, 'id')], [whole, { ...whole, id: `${made}1` }], true],
    ['an empty id', [{ ...whole, id: '' }], [{ ...whole, id: `${made}0` }], true],
    ['no type', [without(whole, 'type')], [whole], true],
    ['arguments as an object', [{ ...whole, function: { name: 'f', arguments: {} } }], [whole], true],
    ['no arguments', [{ ...whole, function: { name: 'f' } }], [whole], true],
    ['null for arguments', [{ ...whole, function: { name: 'f', arguments: null } }], [whole], true],
    ['empty arguments', [{ ...whole, function: { name: 'f', arguments: '' } }], [whole], true],
    ['one id for several', [whole, { ...whole }, { ...whole }], [whole, madeAt(1), madeAt(2)], true],
    [
      'an id that is the made one of another',
      [without(whole, 'id'), madeAt(0)],
      [madeAt(0), { ...whole, id: `${made}1` }],
      true,
    ],
    [
      'no function',
      [{ id: 'a', type: 'custom', custom: {} }],
      [{ id: 'a', type: 'custom', custom: {} }],
      false,
    ],
    ['none', undefined, undefined, false],
    ['an empty list', [], [], false],
    ['invalid ones among them', [null, 'f', whole], [null, 'f', whole], false],
  ]
  test.for(cases)('%s', ([, given, becomes, changed]) => {
    const message: JsonObject = { role: 'assistant', tool_calls: structuredClone(given) }
    const isRepaired = repairWholeToolCalls(message, callId)
    expect(fillWholeCalls(message) || isRepaired).toBe(changed)
    expect(message['tool_calls']).toEqual(becomes)
  })
})

function expectUnchanged(deltas: readonly (readonly JsonObject[])[]): void {
  const repair = createToolCallRepair(callId)
  for (const fragments of deltas) {
    const given = structuredClone(fragments) as JsonObject[]
    expect(repair.repair(given)).toBe(false)
    expect(given).toEqual(fragments)
  }
}

function without(holder: JsonObject, key: string): JsonObject {
  const { [key]: _, ...rest } = holder
  return rest
}
