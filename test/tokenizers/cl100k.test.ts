import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { countTokens, encode } from 'gpt-tokenizer/encoding/cl100k_base'
import { describe, expect, test } from 'vitest'
import { Failure } from '../../src/core/model/failure.ts'
import { createTokenizer } from '../../src/tokenizers/cl100k.ts'

const tokenizer = createTokenizer()

/** The package's own options for reading markers as text. */
const asText = { disallowedSpecial: new Set<string>() }

describe('counting', () => {
  test.for([
    ['', 0],
    ['hello world', 2],
    ['tiktoken is great!', 6],
    ['antidisestablishmentarianism', 6],
    ['2 + 2 = 4', 7],
    ['お誕生日おめでとう', 9],
    ['<|endoftext|>', 7],
    ['a <|im_start|> b', 7],
  ] as const)('%j has %i tokens', async ([text, tokens]) => {
    expect(await tokenizer.count(text)).toBe(tokens)
  })

  test('takes any text, even with broken surrogates', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 400 }), async (text) => {
        expect(await tokenizer.count(text)).toBe(countTokens(text, asText))
      }),
    )
    for (const text of ['\ud800', '\udc00x', '\ufeffusing', '\u0000']) {
      expect(await tokenizer.count(text)).toBeGreaterThan(0)
    }
  })

  test('is exact for any number of words with spaces', async () => {
    const word = fc.string({ unit: fc.constantFrom(..."abcdeXYZ0123.,'!?-é漢"), minLength: 1, maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(fc.array(word, { minLength: 100, maxLength: 900 }), async (words) => {
        const text = words.join(' ')
        expect(await tokenizer.count(text)).toBe(countTokens(text, asText))
      }),
      { numRuns: 30 },
    )
  })

  test('no pair of surrogates is split', async () => {
    const text = `x${'🧿'.repeat(2_000)}`
    expect(await tokenizer.count(text)).toBe(countTokens(text, asText))
  })

  test.for([
    ['prose', 'The quick brown fox jumps over the lazy dog, for no known reason. '.repeat(20_000)],
    ['code', 'function add(left, right) {\n  return left + right\n}\n\n'.repeat(20_000)],
    [
      'two scripts',
      `${'Plain words, in a row. '.repeat(8_000)}${'吾輩は猫である。名前はまだ無い。'.repeat(8_000)}`,
    ],
  ] as const)('a megabyte of %s is estimated within a twentieth', async ([, text]) => {
    const exact = countTokens(text, asText)
    expect(Math.abs((await tokenizer.count(text)) - exact)).toBeLessThan(exact / 20)
  })

  test.for([
    ['a', 125_000],
    [' ', 1_000_000 / 128],
    ['!', 125_000],
    ['\n', 1_000_000 / 32],
    ['漢', 2_000_000],
    ['\ud800', 250_000],
  ] as const)('a million of %j are counted, by a sample', async ([letter, tokens]) => {
    const counted = await tokenizer.count(letter.repeat(1_000_000))
    expect(counted).toBeGreaterThan(tokens * 0.2)
    expect(counted).toBeLessThan(tokens * 1.2)
  })

  test.for(['word ', 'a', '漢'])('of many %j yields to the event loop', async (piece) => {
    let turns = 0
    let counting = true
    const acquirePermit = () => {
      turns++
      if (counting) setImmediate(acquirePermit)
    }
    setImmediate(acquirePermit)
    await tokenizer.count(piece.repeat(60_000 / Buffer.byteLength(piece)))
    counting = false
    expect(turns).toBeGreaterThan(3)
  })

  test('concurrent counts are independent', async () => {
    const fresh = createTokenizer()
    const texts = Array.from({ length: 20 }, (_, at) => 'one two '.repeat(at * 100 + 1))
    const counts = await Promise.all(texts.map((text) => fresh.count(text)))
    expect(counts).toEqual(texts.map((text) => countTokens(text, asText)))
  })
})

describe('decoding', () => {
  test.for([
    [[], ''],
    [[15339, 1917], 'hello world'],
    [[83, 1609, 5963, 374, 2294, 0], 'tiktoken is great!'],
    [[15339, 100257, 1917], 'hello<|endoftext|> world'],
    [[100276], '<|endofprompt|>'],
    [[9468, 100, 123], '\u{1f9ff}'],
    [[9468, 100, 15339], '\ufffdhello'],
    [[100], '\ufffd'],
  ] as const)('%j is %j', async ([tokens, text]) => {
    expect(await tokenizer.decode(tokens)).toBe(text)
  })

  test('restores any encoded text', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 300 }), async (text) => {
        expect(await tokenizer.decode(encode(text, asText))).toBe(text)
      }),
    )
    const marked = '\ufeffusing System;'
    expect(await tokenizer.decode(encode(marked, asText))).toBe(marked)
  })

  test('half a character in one prompt does not affect the next', async () => {
    expect(await tokenizer.decode([9468])).toBe('\ufffd')
    expect(await tokenizer.decode([15339])).toBe('hello')
  })

  test('a long run of half characters is decoded in linear time', async () => {
    const tokens = Array<number>(500_000).fill(9468)
    expect(await tokenizer.decode(tokens)).toBe('\ufffd'.repeat(500_000))
  })

  test.for([
    ['negative', -1],
    ['a fraction', 1.5],
    ['a gap between the words and the markers', 100256],
    ['past the markers', 100277],
    ['past any vocabulary', 2 ** 40],
    ['not a number', Number.NaN],
    ['infinite', Number.POSITIVE_INFINITY],
    ['a word', 'length' as unknown as number],
  ] as const)("an id that is %s is the caller's mistake", async ([, token]) => {
    const failure = await tokenizer.decode([15339, token]).catch((thrown: unknown) => thrown)
    expect(failure).toBeInstanceOf(Failure)
    expect(failure).toMatchObject({
      kind: 'invalid_request',
      param: 'prompt',
      message: 'Token 1 of the prompt (counted from 0) is not in the vocabulary of cl100k_base.',
    })
  })
})

test('an unused tokenizer loads nothing', async () => {
  const script = `
    import { registerHooks } from 'node:module'
    let loaded = 0
    registerHooks({ load: (url, context, next) => {
      if (url.includes('/gpt-tokenizer/')) loaded++
      return next(url, context)
    } })
    const { createTokenizer } = await import(${JSON.stringify(new URL('../../src/tokenizers/cl100k.ts', import.meta.url).href)})
    const tokenizer = createTokenizer()
    await tokenizer.count('')
    await tokenizer.decode([])
    const before = loaded
    await tokenizer.decode([0])
    console.log(before, loaded > before)
  `
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script])
  expect(stdout.trim()).toBe('0 true')
})

test('a prepared tokenizer needs no further module', async () => {
  const tokenizer = createTokenizer()
  await tokenizer.prepare()
  let turns = 0
  const counted = tokenizer.count('one two').then((count) => ({ count, turns }))
  const tick = () => {
    turns++
    setImmediate(tick).unref()
  }
  setImmediate(tick).unref()
  expect(await counted).toEqual({ count: 2, turns: 0 })
})
