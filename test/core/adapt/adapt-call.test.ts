import { describe, expect, test } from 'vitest'
import { adaptCall, choicesWanted } from '../../../src/core/adapt/adapt-call.ts'
import type { JsonObject } from '../../../src/core/model/json/json.ts'
import type { Upstream } from '../../../src/core/model/ports.ts'
import type { Kind } from '../../../src/core/model/terms.ts'
import { createNormalizer, type NormalizerParts } from '../../../src/core/reply/normalize.ts'
import { startAttempt } from '../../harness/core/attempt.ts'
import type { CallChange } from '../../harness/core/json-text.ts'
import { aCall, aDeployment, rawDelta, scriptedUpstream, textChunk } from '../../harness/scripted-upstream.ts'

describe('the number of choices', () => {
  const cases: [Kind, JsonObject, number][] = [
    ['text', { prompt: 'a' }, 1],
    ['text', { prompt: ['a', 'b', 'c'] }, 3],
    ['text', { prompt: ['a', 'b'], n: 2 }, 4],
    ['text', { prompt: [1, 2, 3] }, 1],
    ['text', { prompt: [[1], [2]], n: null }, 2],
    ['text', { prompt: ['a', 'b'], n: 2, best_of: 3 }, 6],
    ['chat', { messages: [], n: 3 }, 3],
  ]
  test.for(cases)('of a %s %j: %i', ([kind, body, count]) => {
    expect(choicesWanted(aCall({ kind, body }))).toBe(count)
  })
})

describe('features of an upstream', () => {
  const cases: [string, Partial<Upstream>, Kind, JsonObject][] = [
    ['all', {}, 'text', { prompt: 'a', echo: true, suffix: 'b', logprobs: 1, best_of: 2 }],
    [
      'features that are supported',
      { lacks: ['echo', 'best_of'] },
      'text',
      { prompt: 'a', suffix: 'b', logprobs: 1 },
    ],
    ['the kind', { kinds: ['text'] }, 'text', { prompt: 'a', echo: true }],
    ['tools', { lacks: ['custom_tools'] }, 'chat', { messages: [], tools: [{ type: 'function' }] }],
    ['as many choices as are the best', { lacks: ['best_of'] }, 'text', { prompt: 'a', n: 2, best_of: 2 }],
    [
      'what null asks for',
      { lacks: ['suffix', 'logprobs'] },
      'text',
      { prompt: 'a', suffix: null, logprobs: null },
    ],
  ]
  test.for(cases)('are requested unchanged: %s', ([, upstream, kind, body]) => {
    const { asking, call, notes } = ask(upstream, { kind, body, source: '{}' })
    expect(asking.call).toBe(call)
    expect(notes).toMatchObject({ converted: [], dropped: [] })
    const normalizer = createNormalizer(normal)
    expect(asking.read(normalizer)).toBe(normalizer)
  })

  test('a call with too many stop strings is changed, but keeps its order', () => {
    const { asking, notes } = ask(
      { mostStops: 0 },
      { body: { prompt: 'a', stop: 'X', seed: 1 }, source: '{}' },
    )
    expect(asking.call.body.value).toEqual({ prompt: 'a', seed: 1 })
    expect(notes.converted).toEqual(['stop to 0 strings, the others cut at here'])
  })
})

test('best_of cannot be streamed if it is emulated here', () => {
  const asked = { body: { prompt: 'a', best_of: 2 }, stream: true }
  expect(() => ask({ lacks: ['best_of'] }, asked)).toThrow(
    expect.objectContaining({ kind: 'invalid_request', param: 'best_of' }),
  )
})

test('an answer that was cut here is complete, though its upstream continued', () => {
  const { asking } = ask({}, { body: { prompt: 'a', stop: 'X' }, stream: true })
  const reading = asking.read(createNormalizer(normal))
  expect(reading.accept([rawDelta(textChunk('one'))])).toHaveLength(1)
  expect(reading.isCut?.()).toBe(false)
  expect(() => reading.finish()).toThrow(expect.objectContaining({ kind: 'interrupted' }))
  expect(reading.accept([rawDelta(textChunk('X two'))])).toHaveLength(1)
  expect(reading.isCut?.()).toBe(true)
  expect(() => reading.finish()).not.toThrow()
})

const normal: NormalizerParts = {
  kind: 'text',
  stream: true,
  id: 'x',
  createdEpochSeconds: 0,
  model: 'm',
  flags: new Set<string>(),
}

function ask(upstream: Partial<Upstream>, change: CallChange) {
  const call = aCall(change)
  const { notes } = startAttempt('m')
  return { asking: adaptCall(call, aDeployment(scriptedUpstream([[]], upstream)), notes), call, notes }
}
