import { describe, expect, test } from 'vitest'
import { behaviours, knownModels, parseName, patternOf } from '../../../src/simulator/script/behaviours.ts'

describe('a name that spells behaviours', () => {
  const cases: [string, [string, number][]][] = [
    ['sim-echo', [['echo', 0]]],
    ['sim-slow-200', [['slow', 200]]],
    [
      'sim-slow-200-echo',
      [
        ['slow', 200],
        ['echo', 0],
      ],
    ],
    [
      'sim-usage-weird-status-599',
      [
        ['usage-weird', 0],
        ['status', 599],
      ],
    ],
    ['sim-slow-1-slow-2', [['slow', 2]]],
    ['sim-stall-0', [['stall', 0]]],
    ['mistral-7b', []],
    ['simulated', []],
    ['SIM-echo', []],
    ['org/sim-echo', []],
  ]
  test.for(cases)('%s is read', ([model, traits]) => {
    const { traits: read } = parseName(model)
    expect(read && [...read]).toEqual(traits)
  })

  test('every behaviour has an example name that spells it and nothing else', () => {
    expect(knownModels).toHaveLength(behaviours.length)
    for (const [index, { name, ...rest }] of behaviours.entries()) {
      const number = 'takes' in rest ? rest.takes.example : 0
      expect(parseName(knownModels[index]!).traits).toEqual(new Map([[name, number]]))
    }
  })

  test('the bounds of a number are themselves allowed', () => {
    for (const behaviour of behaviours) {
      if (!('takes' in behaviour)) continue
      const { least, most } = behaviour.takes
      expect(parseName(`sim-${behaviour.name}-${least}`).traits?.get(behaviour.name)).toBe(least)
      expect(parseName(`sim-${behaviour.name}-${most}`).traits?.get(behaviour.name)).toBe(most)
    }
  })
})

describe('a name that spells nothing known', () => {
  test.for([
    'sim-',
    'sim-foo',
    'sim-echo-foo',
    'sim-Echo',
    'sim-usage',
    'sim-echo-',
    'sim-__proto__',
    'sim-7',
  ])('%s is reported with the list of what is known', (model) => {
    const { fault } = parseName(model)
    expect(fault).toContain(`'${model}'`)
    for (const behaviour of behaviours) expect(fault).toContain(patternOf(behaviour).slice('sim-'.length))
  })

  test.for([
    ['sim-slow', 'sim-slow-MS takes a number from 0 to 600000'],
    ['sim-slow-echo', 'sim-slow-MS takes a number'],
    ['sim-slow-1e3', 'sim-slow-MS takes a number'],
    ['sim-slow--5', 'sim-slow-MS takes a number'],
    ['sim-slow-600001', 'sim-slow-MS takes a number'],
    ['sim-status-200', 'sim-status-CODE takes a number from 400 to 599'],
    ['sim-long-99999999999999999999', 'sim-long-N takes a number'],
  ] as const)('%s is told what the number may be', ([model, told]) => {
    expect(parseName(model).fault).toContain(told)
  })

  test('a name without end is quoted in part', () => {
    expect(parseName(`sim-${'x'.repeat(10_000)}`).fault?.length).toBeLessThan(300)
  })
})
