import { expect, test } from 'vitest'
import { customInput } from '../../../src/core/adapt/custom-input.ts'

test.for(['', 'a "b"\n', '{"input":"x"}', '12345678901234567890'])(
  '%j is read back from its own arguments',
  (input) => {
    expect(customInput.fromArguments(customInput.toArguments(input))).toBe(input)
  },
)

test.for(['*** Begin', '{"input":', '{"input":5}', '{"other":"x"}', '["input"]', 'null', ''])(
  '%j is not arguments, and so the input itself',
  (text) => {
    expect(customInput.fromArguments(text)).toBe(text)
  },
)

test('empty arguments are empty input', () => {
  expect(customInput.fromArguments('{}')).toBe('')
})
