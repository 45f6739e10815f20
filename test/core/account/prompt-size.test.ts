import { describe, expect, test } from 'vitest'
import { createPromptSizes, promptSizeOf } from '../../../src/core/account/prompt-size.ts'
import type { Call } from '../../../src/core/model/call.ts'
import type { JsonObject } from '../../../src/core/model/json/json.ts'
import { JsonText } from '../../../src/core/model/json/json-text.ts'
import { createTokenizer } from '../../../src/tokenizers/cl100k.ts'

const callOf = (kind: Call['kind'], body: JsonObject, model = 'llama'): Call => ({
  id: 'req_0',
  dialect: 'chat',
  kind,
  model,
  stream: false,
  includeUsage: false,
  body: JsonText.of(body),
  credential: undefined,
  deadlineMs: undefined,
})

const text = (prompt: unknown, model?: string) => callOf('text', { prompt }, model)
const chat = (...messages: unknown[]) => callOf('chat', { messages })
const sizeOf = (call: Call) => createPromptSizes().estimate(call)

const samples: Readonly<Record<string, string>> = {
  English:
    'It was a dark night, and the ship had been under way for three weeks when the cook came up on deck to say that the last of the flour was gone.',
  code: 'export function depthOf(text: string, limit: number): number {\n  let depth = 0\n  for (let at = 0; at < text.length; at++) {\n    if (text[at] === "{") depth++\n  }\n  return depth\n}\n',
  JSON: JSON.stringify(
    { id: 17, name: 'Ada', tags: ['a', 'b'], address: { city: 'Oslo', zip: '0150' } },
    null,
    2,
  ),
  CSV: Array.from({ length: 40 }, (_, row) => `${row},user${row}@example.com,${row * 37}.5,true`).join('\n'),
  Chinese: '人工智能正在改变我们的生活方式，越来越多的公司开始使用大型语言模型来提高工作效率。',
  Japanese: '人工知能は私たちの生活を変えつつあり、多くの会社が大規模な言語モデルを使い始めています。',
  Korean: '인공지능은 우리의 삶을 바꾸고 있습니다. 많은 회사가 언어 모델을 사용하기 시작했습니다.',
  Russian:
    'Искусственный интеллект меняет нашу жизнь, и многие компании начинают использовать языковые модели.',
  Arabic: 'الذكاء الاصطناعي يغير حياتنا، وبدأت شركات كثيرة في استخدام النماذج اللغوية الكبيرة.',
  Hindi: 'कृत्रिम बुद्धिमत्ता हमारे जीवन को बदल रही है और कई कंपनियाँ भाषा मॉडल का उपयोग करने लगी हैं।',
  Greek: 'Η τεχνητή νοημοσύνη αλλάζει τη ζωή μας και πολλές εταιρείες χρησιμοποιούν γλωσσικά μοντέλα.',
}

describe('text is estimated to within a third of a tokenizer’s count', () => {
  const tokenizer = createTokenizer()
  test.for(Object.entries(samples))('when it is %s', async ([, sample]) => {
    const counted = await tokenizer.count(sample)
    expect(sizeOf(text(sample)) / counted).toBeGreaterThan(2 / 3)
    expect(sizeOf(text(sample)) / counted).toBeLessThan(4 / 3)
  })

  test('when it is all of them, repeated many times', async () => {
    const long = Object.values(samples).join('\n').repeat(12)
    const counted = await tokenizer.count(long)
    expect(sizeOf(text(long)) / counted).toBeGreaterThan(2 / 3)
    expect(sizeOf(text(long)) / counted).toBeLessThan(4 / 3)
  })
})

describe('a prompt', () => {
  test.for<[string, unknown, number]>([
    ['of token ids has as many tokens', [1, 2, 3, 40_000], 4],
    ['of lists of token ids has as many tokens', [[1, 2], [3], []], 3],
    ['of a single letter has one', 'a', 1],
    ['of no text has none', '', 0],
    ['of nothing has none', [], 0],
    ['that is missing has none', undefined, 0],
    ['that is null has none', null, 0],
    ['of something else has none', { text: 'hello' }, 0],
  ])('%s', ([, prompt, tokens]) => {
    expect(sizeOf(text(prompt))).toBe(tokens)
  })

  test('of several texts is their sum', () => {
    const { English = '', Chinese = '' } = samples
    const together = promptSizeOf(text([English, Chinese])).textTokens
    const apart = promptSizeOf(text(English)).textTokens + promptSizeOf(text(Chinese)).textTokens
    expect(together).toBeCloseTo(apart, 6)
  })

  test('that is sampled grows with its length', () => {
    const sizes = [1, 10, 100, 1000].map((times) =>
      sizeOf(text('The ship had been under way. '.repeat(times * 20))),
    )
    const [once = 0, ...more] = sizes
    for (const [power, size] of more.entries()) {
      expect(size / once).toBeGreaterThan(0.9 * 10 ** (power + 1))
      expect(size / once).toBeLessThan(1.1 * 10 ** (power + 1))
    }
  })
})

describe('a chat', () => {
  const bare = sizeOf(chat({ role: 'user', content: 'Hello' }))
  const question = 'What is the weather like in Oslo today, and will it rain tomorrow?'

  test('has a few tokens of its template besides its text', () => {
    expect(sizeOf(chat({ role: 'user', content: '' }))).toBe(7)
    expect(sizeOf(chat({ role: 'user', content: '' }, { role: 'assistant', content: null }))).toBe(11)
    expect(sizeOf(chat())).toBe(3)
  })

  test.for<[string, JsonObject]>([
    ['parts of text', { content: [{ type: 'text', text: question }] }],
    ['a thought', { content: null, reasoning_content: question }],
    ['a refusal', { content: null, refusal: question }],
    [
      'a call of a tool',
      {
        content: null,
        tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: question } }],
      },
    ],
    ['a call as it once was', { content: null, function_call: { name: 'f', arguments: question } }],
  ])('counts %s', ([, message]) => {
    const whole = sizeOf(chat({ role: 'assistant', content: question }))
    const size = sizeOf(chat({ role: 'assistant', ...message }))
    expect(size).toBeGreaterThanOrEqual(whole)
    expect(size).toBeLessThan(whole + 20)
  })

  test.for<[string, JsonObject]>([
    ['image', { type: 'image_url', image_url: { url: `data:image/png;base64,${'A'.repeat(100_000)}` } }],
    ['sound', { type: 'input_audio', input_audio: { data: 'A'.repeat(100_000), format: 'wav' } }],
  ])('has a fixed number of tokens for an %s of any size', ([, part]) => {
    expect(sizeOf(chat({ role: 'user', content: ['Hello', part] }))).toBe(bare + 1000)
  })

  test('counts its tools', () => {
    const parameters = { type: 'object', properties: { city: { type: 'string', description: question } } }
    const tool = { type: 'function', function: { name: 'weather', description: question, parameters } }
    const withTools = sizeOf(
      callOf('chat', { messages: [{ role: 'user', content: 'Hello' }], tools: [tool] }),
    )
    expect(withTools - bare).toBeGreaterThan(40)
    expect(withTools - bare).toBeLessThan(80)
  })

  test.for([undefined, null, 'Hello', [null], ['Hello'], [{ role: 'user', content: [null, 7] }]])(
    'with invalid messages does not fail: %o',
    (messages) => {
      expect(sizeOf(callOf('chat', { messages, tools: null }))).toBeLessThan(10)
    },
  )
})

describe('an upstream’s count', () => {
  const call = text('The ship had been under way for three weeks. '.repeat(20))
  const guess = sizeOf(call)

  test('moves the next estimate towards it, and more each time', () => {
    const sizes = createPromptSizes()
    const estimates = Array.from({ length: 30 }, () => {
      sizes.learn(call, guess * 1.5)
      return sizes.estimate(call)
    })
    expect(estimates[0]).toBeGreaterThan(guess)
    expect(estimates).toEqual(estimates.toSorted((one, other) => one - other))
    expect(estimates.at(-1)! / guess).toBeGreaterThan(1.45)
    expect(estimates.at(-1)! / guess).toBeLessThan(1.5)
  })

  test('counts more if recent', () => {
    const sizes = createPromptSizes()
    for (let time = 0; time < 100; time++) sizes.learn(call, guess * 1.8)
    for (let time = 0; time < 100; time++) sizes.learn(call, guess)
    expect(sizes.estimate(call) / guess).toBeCloseTo(1, 1)
  })

  test('applies to its model only', () => {
    const sizes = createPromptSizes()
    sizes.learn(call, guess * 2)
    const same = { ...call, model: 'qwen' }
    expect(sizes.estimate(same)).toBe(guess)
  })

  test.for<[string, number]>([
    ['a hundred times too much', 100],
    ['a hundred times too little', 0.01],
  ])('is limited to a factor of two: %s', ([, factor]) => {
    const sizes = createPromptSizes()
    for (let time = 0; time < 50; time++) sizes.learn(call, guess * factor)
    expect(sizes.estimate(call) / guess).toBeCloseTo(factor > 1 ? 2 : 0.5, 1)
  })

  test.for([0, -5, Number.NaN])('is ignored if it is %d', (told) => {
    const sizes = createPromptSizes()
    sizes.learn(call, told)
    expect(sizes.estimate(call)).toBe(guess)
  })

  test('of token ids does not affect text', () => {
    const sizes = createPromptSizes()
    for (let time = 0; time < 50; time++) sizes.learn(text(['Hello', [1, 2, 3]]), 900)
    sizes.learn(text([1, 2, 3]), 900)
    expect(sizes.estimate(text([1, 2, 3]))).toBe(3)
  })

  test('is forgotten for the least recently used model', () => {
    const sizes = createPromptSizes(2)
    const as = (model: string) => ({ ...call, model })
    for (const model of ['a', 'b', 'a', 'c']) sizes.learn(as(model), guess * 2)
    expect(sizes.estimate(as('b'))).toBe(guess)
    expect(sizes.estimate(as('a'))).toBeGreaterThan(guess)
    expect(sizes.estimate(as('c'))).toBeGreaterThan(guess)
  })
})
