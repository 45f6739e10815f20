import { expect, test } from 'vitest'
import { copyOf, createLazySet, createPhraseSet } from '../../../src/core/model/lazy-set.ts'

test('names are kept once each, in the order they were added', () => {
  const names = createLazySet()
  expect([names.size, names.has('seed'), [...names]]).toEqual([0, false, []])
  for (const name of ['seed', 'user', 'seed']) names.add(name)
  expect([names.size, names.has('seed'), names.has('stop'), [...names]]).toEqual([
    2,
    true,
    false,
    ['seed', 'user'],
  ])
})

test('a copy and its original are independent', () => {
  const names = createLazySet()
  names.add('seed')
  const copy = copyOf(names)
  copy.add('user')
  names.add('stop')
  expect([[...names], [...copy], [...createLazySet()]]).toEqual([['seed', 'stop'], ['seed', 'user'], []])
})

test.for<readonly [string, string]>([
  ['tools.web_search', 'tools.web_search'],
  ['include.message.output_text.logprobs', 'include.message.output_text.logprobs'],
  ['messages[0].name', 'messages[0].name'],
  [`tools.${'x'.repeat(3_000_000)}`, 'tools.*'],
  ['input.what a caller says', 'input.*'],
  ['include.\n{"level":60}', 'include.*'],
  ['a secret of mine', '*'],
  ['x'.repeat(65), '*'],
])('%.40j is kept as %j', ([name, kept]) => {
  const names = createLazySet()
  names.add(name)
  expect([...names]).toEqual([kept])
})

test('the number of names is limited', () => {
  const names = createLazySet()
  for (let at = 0; at < 1000; at++) names.add(`tools.t${at}`)
  expect(names.size).toBe(64)
})

test('the gateway’s own phrases are kept unchanged', () => {
  const phrases = createPhraseSet()
  phrases.add('messages to prompt (llama3)')
  expect([...phrases]).toEqual(['messages to prompt (llama3)'])
})
