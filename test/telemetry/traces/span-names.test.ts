import * as standard from '@opentelemetry/semantic-conventions/incubating'
import { describe, expect, test } from 'vitest'
import { conventionNames } from '../../../src/core/model/trace.ts'
import { attemptAttributes, callAttributes, modelOf } from '../../../src/telemetry/traces/span-names.ts'

describe('the names of attributes', () => {
  const known = new Set<unknown>(Object.values(standard).filter((name) => typeof name === 'string'))

  test.for(conventionNames)('of %s are the standard’s or our own', (generation) => {
    const names = [...callAttributes, ...attemptAttributes].flatMap(({ names }) => names[generation] ?? [])
    expect(names.filter((name) => !known.has(name) && !name.startsWith('pandotate.'))).toEqual([])
  })

  test.for([
    ['call', callAttributes],
    ['attempt', attemptAttributes],
  ] as const)('are unique: of a %s', ([, attributes]) => {
    for (const generation of conventionNames) {
      const names = attributes.flatMap((one) => one.names[generation] ?? [])
      expect(new Set(names).size).toBe(names.length)
    }
  })
})

test.for([
  ['mistral-7b@local', 'mistral-7b'],
  ['org/model@2026@together', 'org/model@2026'],
  ['*@together', undefined],
  ['qwen*@local', undefined],
  ['cache', undefined],
] as const)('the model of the deployment %s in a span’s name is %s', ([deployment, model]) => {
  expect(modelOf({ deployment })).toBe(model)
})
