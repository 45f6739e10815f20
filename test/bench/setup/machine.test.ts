import { expect, test } from 'vitest'
import { place, readProcessorList } from '../../../bench/setup/machine.ts'

test.for([
  ['0', [0]],
  ['0-3', [0, 1, 2, 3]],
  ['2,5-7', [2, 5, 6, 7]],
] as const)('the processor list %s is %j', ([text, expected]) => {
  expect(readProcessorList(text)).toEqual(expected)
})

test.for([
  [[0], { upstream: undefined, proxy: undefined, load: [undefined] }],
  [[4, 5], { upstream: 4, proxy: 5, load: [4] }],
  [[0, 1, 2], { upstream: 0, proxy: 1, load: [2] }],
  [[0, 1, 2, 3], { upstream: 0, proxy: 1, load: [2, 3] }],
  [[0, 2, 4, 6, 8], { upstream: 0, proxy: 2, load: [4, 6] }],
] as const)('of the processors %j the proxy has one to itself when there are two', ([allowed, expected]) => {
  expect(place(allowed)).toEqual(expected)
})
