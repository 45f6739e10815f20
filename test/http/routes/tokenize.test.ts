import { encode as encodeCl100k } from 'gpt-tokenizer/encoding/cl100k_base'
import { encode as encodeO200k } from 'gpt-tokenizer/encoding/o200k_base'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { simulatorConfig, startTestGateway, type TestGateway } from '../../harness/gateway.ts'
import { rawRequest } from '../../harness/raw-request.ts'

const text = 'Déjà vu — 吾輩は猫である, token by token!'

let gateway: TestGateway
beforeAll(async () => {
  const at = (...models: string[]) => ({
    strategy: 'fallback' as const,
    deployments: models.map((model) => ({ provider: 'simulator', model })),
  })
  gateway = await startTestGateway({
    routes: [
      { pattern: 'ours', ...at('openai/gpt-oss-20b', 'gpt-oss:20b') },
      { pattern: 'mixed', ...at('gpt-4', 'gpt-oss-20b') },
      { pattern: 'gpt-4', ...at('mistral-7b') },
      ...['gpt-oss-*', 'gpt-3.5-*', 'mistral-*'].map((pattern) => ({
        pattern,
        strategy: 'fallback' as const,
        deployments: [{ provider: 'simulator' }],
      })),
    ],
  })
})
afterAll(() => gateway[Symbol.asyncDispose]())

const tokenize = async (body: object, path = '/v1/tokenize', url = gateway.url) => {
  const answer = await rawRequest(url, 'POST', path, {}, JSON.stringify(body))
  return { status: answer.status, body: JSON.parse(answer.body) }
}

describe('The tokens of a text', () => {
  test.for([
    ['gpt-oss-120b', encodeO200k],
    ['gpt-3.5-turbo', encodeCl100k],
    ['ours', encodeO200k],
  ] as const)('are the model’s own, told in full: %s', async ([model, encode]) => {
    const tokens = [...encode(text)]
    const expected = { status: 200, body: { count: tokens.length, tokens, estimated: false } }
    expect(await tokenize({ model, text })).toEqual(expected)
    expect(await tokenize({ model, prompt: text })).toEqual(expected)
    for (const path of ['/inference/tokenize', '/inference/v1/tokenize']) {
      expect(await tokenize({ model, text }, path)).toEqual(expected)
    }
  })

  test.for([
    ['an unavailable vocabulary', 'mistral-7b'],
    ['deployments that differ', 'mixed'],
    ['a name that is not what runs', 'gpt-4'],
  ])('are counted by an estimate that says so, for %s', async ([, model]) => {
    expect(await tokenize({ model, text })).toEqual({
      status: 200,
      body: { count: encodeCl100k(text).length, estimated: true },
    })
  })

  test('of no length are none', async () => {
    expect((await tokenize({ model: 'gpt-oss-20b', text: '' })).body).toEqual({
      ...{ count: 0, tokens: [], estimated: false },
    })
  })
})

describe('The tokens of a prompt', () => {
  test.for<[string, unknown, object]>([
    ['token ids, whatever the model', [5, 6, 7], { count: 3, tokens: [5, 6, 7], estimated: false }],
    ['lists of them', [[5], [6, 7]], { count: 3, tokens: [[5], [6, 7]], estimated: false }],
    ['several texts', ['one two', 'three'], { count: 3, estimated: true }],
  ])('are those of %s', async ([, prompt, expected]) => {
    expect((await tokenize({ model: 'mistral-7b', prompt })).body).toEqual(expected)
  })

  test('are reported text by text', async () => {
    expect((await tokenize({ model: 'gpt-oss-20b', prompt: ['one two', 'three'] })).body).toEqual({
      count: 3,
      tokens: [[...encodeO200k('one two')], [...encodeO200k('three')]],
      estimated: false,
    })
  })
})

test('The tokens of a chat are an estimate, its template with them', async () => {
  const messages = [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: [{ type: 'text', text }] },
  ]
  const { body } = await tokenize({ model: 'gpt-oss-20b', messages })
  const words = encodeCl100k('Be brief.').length + encodeCl100k(text).length
  expect(body).toEqual({ count: expect.any(Number), estimated: true })
  expect(body.count).toBeGreaterThan(words)
  expect(body.count).toBeLessThan(words + 20)
})

test.for<[string, object, number, string | null]>([
  ['no model', { text }, 400, 'model'],
  ['nothing to count', { model: 'mistral-7b' }, 400, 'text'],
  ['two things at once', { model: 'mistral-7b', text, prompt: text }, 400, 'prompt'],
  ['a text that is none', { model: 'mistral-7b', text: 5 }, 400, 'text'],
  ['a prompt that is none', { model: 'mistral-7b', prompt: { a: 1 } }, 400, 'prompt'],
  ['messages that are none', { model: 'mistral-7b', messages: 'hello' }, 400, 'messages'],
  ['a model nobody has', { model: 'nobody', text }, 404, 'model'],
])('%s is refused', async ([, asked, status, param]) => {
  expect(await tokenize(asked)).toMatchObject({ status, body: { error: { param } } })
})

test('A key is asked for, and nothing is recorded', async () => {
  await using guarded = await startTestGateway({ ...simulatorConfig, keys: ['a-key-of-the-gateway'] })
  expect((await tokenize({ model: 'm', text }, '/v1/tokenize', guarded.url)).status).toBe(401)
  expect([...guarded.records, ...gateway.records]).toEqual([])
})
