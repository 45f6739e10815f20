import { describe, expect, test } from 'vitest'
import type { Call } from '../../../src/core/model/call.ts'
import type { JsonObject } from '../../../src/core/model/json/json.ts'
import { JsonText } from '../../../src/core/model/json/json-text.ts'
import { createOutputHabits } from '../../../src/core/plan/output-habit.ts'

const callOf = (body: JsonObject = {}, rest: Partial<Call> = {}): Call => ({
  id: 'req_0',
  dialect: 'chat',
  kind: 'chat',
  model: 'llama',
  stream: false,
  includeUsage: false,
  body: JsonText.of(body),
  credential: undefined,
  deadlineMs: undefined,
  ...rest,
})
const text = (body: JsonObject) => callOf(body, { kind: 'text', dialect: 'completions' })

describe('without measurements', () => {
  test.for<[string, Call, number]>([
    ['256 tokens are expected', callOf(), 256],
    ['no more than max_tokens', callOf({ max_tokens: 50 }), 50],
    ['no more than max_completion_tokens', callOf({ max_completion_tokens: 50 }), 50],
    ['no more than the lesser of both', callOf({ max_tokens: 90, max_completion_tokens: 50 }), 50],
    ['no more than the other lesser of both', callOf({ max_tokens: 50, max_completion_tokens: 90 }), 50],
    ['nothing if nothing is requested', callOf({ max_tokens: 0 }), 0],
    ['the prior if the bound is higher', callOf({ max_tokens: 100_000 }), 256],
    ['the prior without a bound', callOf({ max_tokens: null, max_completion_tokens: '5' }), 256],
    ['as much for each choice', callOf({ n: 3 }), 768],
    ['the bound for each choice', callOf({ n: 3, max_tokens: 50 }), 150],
    ['as much for the best of some', text({ prompt: 'a', best_of: 4, n: 2, max_tokens: 10 }), 40],
    ['as much for each prompt', text({ prompt: ['a', 'b'], n: 2, max_tokens: 10 }), 40],
    ['as much for a prompt of token ids as for any', text({ prompt: [1, 2, 3], max_tokens: 10 }), 10],
    ['as much for each prompt of token ids', text({ prompt: [[1], [2]], max_tokens: 10 }), 20],
  ])('%s', ([, call, tokens]) => {
    expect(createOutputHabits().expect(call)).toBe(tokens)
  })
})

describe('the length of answers', () => {
  test('becomes the expectation', () => {
    const habits = createOutputHabits()
    habits.learn(callOf(), 1000)
    expect(habits.expect(callOf())).toBe((256 + 1000) / 2)
    for (let time = 0; time < 200; time++) habits.learn(callOf(), 1000)
    expect(habits.expect(callOf())).toBeCloseTo(1000, 0)
  })

  test('counts more if recent', () => {
    const habits = createOutputHabits()
    for (let time = 0; time < 1000; time++) habits.learn(callOf(), 1000)
    for (let time = 0; time < 100; time++) habits.learn(callOf(), 10)
    expect(habits.expect(callOf())).toBeLessThan(20)
  })

  test('alternating between two is averaged', () => {
    const habits = createOutputHabits()
    for (let time = 0; time < 200; time++) habits.learn(callOf(), time % 2 === 0 ? 100 : 300)
    expect(Math.abs(habits.expect(callOf()) - 200)).toBeLessThan(10)
  })

  test('is capped by what the next call allows', () => {
    const habits = createOutputHabits()
    for (let time = 0; time < 50; time++) habits.learn(callOf(), 1000)
    expect(habits.expect(callOf({ max_tokens: 64 }))).toBe(64)
  })

  test('over several choices is learnt per choice', () => {
    const habits = createOutputHabits()
    for (let time = 0; time < 200; time++) habits.learn(callOf({ n: 4 }), 400)
    expect(habits.expect(callOf())).toBeCloseTo(100, 0)
    expect(habits.expect(callOf({ n: 2 }))).toBeCloseTo(200, 0)
  })

  test('may be zero', () => {
    const habits = createOutputHabits()
    habits.learn(callOf(), 0)
    expect(habits.expect(callOf())).toBe(128)
  })

  test.for([-1, Number.NaN])('is ignored if it is %d', (tokens) => {
    const habits = createOutputHabits()
    habits.learn(callOf(), tokens)
    expect(habits.expect(callOf())).toBe(256)
  })

  test.for<[string, Partial<Call>]>([
    ['model', { model: 'qwen' }],
    ['dialect', { dialect: 'inference' }],
    ['kind', { kind: 'text' }],
  ])('does not affect another %s', ([, other]) => {
    const habits = createOutputHabits()
    habits.learn(callOf(), 1000)
    expect(habits.expect(callOf({}, other))).toBe(256)
  })
})

test('the most recently used habits are kept, up to the limit', () => {
  const habits = createOutputHabits(2)
  for (const model of ['a', 'b', 'a', 'c']) habits.learn(callOf({}, { model }), 1000)
  const known = ['a', 'b', 'c'].map((model) => habits.expect(callOf({}, { model })) > 256)
  expect(known).toEqual([true, false, true])
})
