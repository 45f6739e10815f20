import { expect, test } from 'vitest'
import { readOptions } from '../../../bench/setup/options.ts'

const everything = { parts: ['json', 'stream', 'memory'], quick: false, control: false }

test.for([
  ['', everything],
  ['quick', { ...everything, parts: ['json', 'stream'], quick: true }],
  ['quick memory', { ...everything, parts: ['memory'], quick: true }],
  ['memory', { ...everything, parts: ['memory'] }],
  ['--only json', { ...everything, parts: ['json'] }],
  ['--control quick --only stream', { parts: ['stream'], quick: true, control: true }],
] as const)('the words "%s" are understood', ([words, expected]) => {
  expect(readOptions(words.split(' ').filter(Boolean))).toEqual(expected)
})

test.for(['slow', '--only', '--only everything'])('the words "%s" are refused with the usage', (words) => {
  expect(() => readOptions(words.split(' '))).toThrow(/usage: npm run bench/)
})
