import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { didYouMean, nearest } from '../../../../src/core/model/json/nearest.ts'

describe('the nearest names', () => {
  test.for<[string, string, readonly string[]]>([
    ['prot', 'port host config', ['port']],
    ['conifg', 'port host config', ['config']],
    ['PORT', 'port host', ['port']],
    ['mistral-8b', 'mistral-7b mistral-70b llama-3', ['mistral-7b', 'mistral-70b']],
    ['gpt-oss-20', 'gpt-oss-120b gpt-oss-20b qwen', ['gpt-oss-20b', 'gpt-oss-120b']],
    ['x', 'port', []],
    ['', 'port a', ['a']],
    ['port', 'port', []],
    ['same', 'fame game lame name tame', ['fame', 'game', 'lame']],
  ])('to %s among %s', ([written, names, near]) => {
    expect(nearest(written, names.split(' '))).toEqual(near)
  })

  test('are few, and found quickly for any input', () => {
    const written = 'a'.repeat(1_000_000)
    expect(nearest(written, [written.slice(1), 'a'])).toEqual([])
  })

  test('include a name with two neighbouring letters swapped', () => {
    const name = fc.stringMatching(/^[a-z]{4,20}$/)
    fc.assert(
      fc.property(name, fc.nat(), (text, at) => {
        const index = at % (text.length - 1)
        const [one = '', other = ''] = text.slice(index, index + 2)
        const swapped = text.slice(0, index) + other + one + text.slice(index + 2)
        expect(nearest(swapped, [text])).toEqual(swapped === text ? [] : [text])
      }),
    )
  })
})

test('a sentence names them, or is empty', () => {
  expect(didYouMean('prot', ['port'])).toBe(' Did you mean port?')
  expect(didYouMean('fort', ['port', 'sort'])).toBe(' Did you mean port or sort?')
  expect(didYouMean('prot', ['other'])).toBe('')
})
