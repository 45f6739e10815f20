import { expect, test } from 'vitest'
import { argumentsFor, splitArguments } from '../../../src/simulator/script/arguments.ts'

test.for([
  ['a string', { type: 'string' }, 'x'],
  ['a number', { type: 'number' }, 1],
  ['an integer', { type: 'integer' }, 1],
  ['a boolean', { type: 'boolean' }, true],
  ['null', { type: 'null' }, null],
  ['a list', { type: 'array', items: { type: 'integer' } }, [1]],
  ['a list of anything', { type: 'array' }, ['x']],
  ['an object', { type: 'object', properties: { a: { type: 'string' } } }, { a: 'x' }],
  ['an object by its properties', { properties: { a: {} } }, { a: 'x' }],
  ['one of an enum', { type: 'string', enum: ['celsius', 'kelvin'] }, 'celsius'],
  ['a constant', { const: 7 }, 7],
  ['a nullable type', { type: ['null', 'integer'] }, 1],
  ['the first alternative', { anyOf: [{ type: 'boolean' }, { type: 'string' }] }, true],
  ['anything', {}, 'x'],
  ['a schema that is none', true, 'x'],
] as const)('%s gets a value that fits', ([, schema, value]) => {
  expect(argumentsFor({ type: 'object', properties: { it: schema } })).toEqual({ it: value })
})

test.for([undefined, null, {}, [], 'object', { type: 'object', properties: [] }])(
  'parameters %j get no arguments',
  (parameters) => {
    expect(argumentsFor(parameters)).toEqual({})
  },
)

test('arguments split into fragments that join again, astral characters whole', () => {
  const values = { 'the 😀 of 1234567😀': 'x', other: 1 }
  const fragments = splitArguments(values)
  expect(fragments.length).toBeGreaterThan(3)
  expect(fragments.every((fragment) => fragment.isWellFormed())).toBe(true)
  expect(JSON.parse(fragments.join(''))).toEqual(values)
})
