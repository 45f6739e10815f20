import fc from 'fast-check'
import { encode as encodeCl100k } from 'gpt-tokenizer/encoding/cl100k_base'
import { encode as encodeO200k } from 'gpt-tokenizer/encoding/o200k_base'
import llama3 from 'llama3-tokenizer-js'
import { describe, expect, test } from 'vitest'
import { createEncoder } from '../../src/tokenizers/encoder.ts'

const encoder = createEncoder()

const asText = { disallowedSpecial: new Set<string>() }

function encodeLlama3(text: string): readonly number[] {
  const asWritten = { bos: false, eos: false, specialTokenRegex: /(?!)/g }
  return llama3.encode(text, asWritten)
}

describe.for([
  ['gpt-4', encodeCl100k],
  ['gpt-oss-20b', encodeO200k],
  ['meta-llama/Llama-3.3-70B-Instruct', encodeLlama3],
] as const)('The tokens of %s', ([model, encode]) => {
  test.for([
    '',
    'hello world',
    'お誕生日おめでとう',
    '<|endoftext|> and <|start|>assistant<|channel|>',
    ' leading and trailing ',
    '\ud800 broken',
  ])('are its own: %j', async (text) => {
    expect(await encoder.encode([model], text)).toEqual([...encode(text, asText)])
  })

  test.for([
    ['prose', 'The quick brown fox jumps over the lazy dog, for no known reason. '.repeat(200)],
    ['code', 'function add(left, right) {\r\n\treturn left /* sum */ + right\n}\n\n// …\n'.repeat(100)],
    ['Chinese without a space', '吾輩は猫である。名前はまだ無い、どこで生れたか！'.repeat(200)],
    ['numbers', '[1,22,333,4444,55555]'.repeat(500)],
    ['contractions', "we'll it's they’re DON'T can't "],
  ] as const)('are those of the whole text, despite slicing: %s', async ([, text]) => {
    expect(await encoder.encode([model], text)).toEqual([...encode(text, asText)])
  })

  test('are correct for any text', async () => {
    const letter = fc.constantFrom(...'aZéßñ漢かДא', 'e\u0301', '\u0301')
    const mark = fc.constantFrom(
      ...'.,;:!?/\\\'’"()-_…。、🧿<>|',
      ' ',
      '  ',
      '\n',
      '\r\n',
      '\n\n',
      '\t',
      '0',
      '42',
      '\u00a0',
    )
    const text = fc.array(fc.oneof(letter, letter, mark), { minLength: 1000, maxLength: 4000 })
    await fc.assert(
      fc.asyncProperty(text, async (pieces) => {
        const whole = pieces.join('')
        expect(await encoder.encode([model], whole)).toEqual([...encode(whole, asText)])
      }),
      { numRuns: 60 },
    )
  })

  test.for([
    ['letters', 'a'.repeat(60_000)],
    ['marks', '-'.repeat(60_000)],
    ['spaces', ' '.repeat(60_000)],
    ['everything', 'word '.repeat(60_000)],
  ] as const)('are not computed for too many %s at once', async ([, text]) => {
    expect(await encoder.encode([model], text)).toBeUndefined()
  })
})

test('Several models must share their tokens', async () => {
  expect(await encoder.encode(['gpt-4o', 'openai/gpt-oss-20b'], 'hello')).toEqual(encodeO200k('hello'))
  for (const models of [['gpt-4', 'gpt-oss-20b'], ['gpt-4', 'mistral-7b'], ['mistral-7b', 'gpt-4'], []]) {
    expect(await encoder.encode(models, 'hello')).toBeUndefined()
  }
})

test('A model without an available vocabulary has none', async () => {
  expect(await encoder.encode(['mistral-7b'], 'hello')).toBeUndefined()
})
