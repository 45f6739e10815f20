import llama3 from 'llama3-tokenizer-js'
import { expect, test } from 'vitest'
import { mostTokensIn } from '../../../src/core/account/token-bound.ts'
import { createTokenizer } from '../../../src/tokenizers/cl100k.ts'

const cl100k = createTokenizer()

/** Texts that have many tokens for their length. */
const dense: Readonly<Record<string, string>> = {
  'rare letters': 'qkqjx'.repeat(60),
  'pairs that are no token': 'bqfjkx'.repeat(50),
  'single letters': ' q x j'.repeat(50),
  capitals: 'QzXkJw'.repeat(50),
  'letters and digits': '5f'.repeat(150),
  digits: '7'.repeat(300),
  base64: Buffer.from(Array.from({ length: 300 }, (_, at) => (at * 89 + 41) % 256)).toString('base64'),
  control: '\u0001\u007f\u0002'.repeat(90),
  'one ideogram': '啊'.repeat(200),
  'rare scripts': 'ᚠꀀ㎓'.repeat(60),
  emoji: '👨‍👩‍👧😀'.repeat(40),
  blanks: ' \n\t  x'.repeat(60),
  apostrophes: "'s't've AB".repeat(30),
}

test.for(Object.entries(dense))('a text of %s has at most so many tokens', async ([, text]) => {
  expect(mostTokensIn(text)).toBeGreaterThanOrEqual(await cl100k.count(text))
  expect(mostTokensIn(text)).toBeGreaterThanOrEqual(llama3.encode(text, { bos: false, eos: false }).length)
})

test('each digit counts, because some vocabularies have only single ones', () => {
  expect(mostTokensIn('0123456789')).toBe(10)
})

test('English is not held for more than three times its tokens', async () => {
  const text =
    'It was a dark night, and the ship had been under way for three weeks when the cook came up on deck to say so.'
  expect(mostTokensIn(text) / (await cl100k.count(text))).toBeLessThan(3)
})
