import { describe, expect, test } from 'vitest'
import { fim } from '../../../src/dialects/openai/fim.ts'
import { startTestGateway } from '../../harness/gateway.ts'
import { incoming, refusalOf } from '../requests.ts'

const asked = { model: 'codestral', prompt: 'def add(', suffix: 'return sum' }

describe('A request to fill in the middle', () => {
  test('is a text completion with a suffix, as it was sent', () => {
    const source =
      '{"model": "codestral", "prompt": "def add(", "suffix": "return sum", "x": 12345678901234567890}'
    const call = fim.parse(incoming(source))
    expect(call).toMatchObject({ dialect: 'fim', kind: 'text', model: 'codestral', stream: false })
    expect(call.body.text).toBe(source)
    expect(call.body.value).toMatchObject({ prompt: 'def add(', suffix: 'return sum' })
  })

  test.for([
    [{ random_seed: 5 }, { seed: 5 }],
    [{ random_seed: 5, seed: null }, { seed: 5 }],
    [{ random_seed: 5, seed: 7 }, { seed: 7 }],
  ])('has its seed by the name that OpenAI has for it: %j', ([seeds, seed]) => {
    const call = fim.parse(incoming({ ...asked, ...seeds }))
    expect(call.body).toEqual({ ...asked, ...seed })
    expect(call).toMatchObject({ converted: ['random_seed'] })
  })

  test.for<[object, string]>([
    [{ model: undefined }, 'model'],
    [{ prompt: undefined }, 'prompt'],
    [{ prompt: null }, 'prompt'],
    [{ prompt: ['a'] }, 'prompt'],
    [{ prompt: [1, 2] }, 'prompt'],
    [{ suffix: 5 }, 'suffix'],
    [{ random_seed: 'x' }, 'random_seed'],
    [{ min_tokens: -1 }, 'min_tokens'],
    [{ temperature: 3 }, 'temperature'],
  ])('is refused by the field at fault: %j', ([wrong, param]) => {
    expect(refusalOf(fim, { ...asked, ...wrong })).toMatchObject({ status: 400, param })
  })

  test('may have unknown fields, unless it is strict', () => {
    const body = { ...asked, min_tokens: 2, metadata: {}, novelty: 1 }
    expect(refusalOf(fim, body)).toBeUndefined()
    expect(refusalOf(fim, body, true)).toMatchObject({
      status: 400,
      message: expect.stringMatching(/novelty/),
    })
    expect(refusalOf(fim, { ...body, novelty: null }, true)).toBeUndefined()
  })
})

describe('Over a gateway, the answer has the shape of a chat’s', () => {
  const path = '/v1/fim/completions'

  test('whole', async () => {
    await using gateway = await startTestGateway()
    const answer = await post(gateway.url + path, { model: 'sim-echo', prompt: 'the middle' })
    expect(await answer.json()).toMatchObject({
      object: 'chat.completion',
      model: 'sim-echo',
      choices: [{ index: 0, message: { role: 'assistant', content: 'the middle' }, finish_reason: 'stop' }],
      usage: { total_tokens: expect.any(Number) },
    })
    expect(await gateway.recorded()).toMatchObject({ dialect: 'fim', kind: 'text', status: 200 })
  })

  test('in pieces, each with the role once and text that is never null', async () => {
    await using gateway = await startTestGateway()
    const asked = { model: 'sim-echo', prompt: 'one two three', n: 2, stream: true }
    const answer = await post(gateway.url + path, { ...asked, stream_options: { include_usage: true } })
    const frames = (await answer.text()).split('\n\n').filter((frame) => frame !== '')
    expect(frames.pop()).toBe('data: [DONE]')
    const chunks = frames.map((frame) => JSON.parse(frame.replace('data: ', '')))
    expect(new Set(chunks.map(({ object }) => object))).toEqual(new Set(['chat.completion.chunk']))
    expect(chunks.pop()).toMatchObject({ choices: [], usage: { prompt_tokens: expect.any(Number) } })
    const choices = chunks.flatMap((chunk) => chunk.choices)
    for (const index of [0, 1]) {
      const own = choices.filter((choice) => choice.index === index)
      expect(own.map(({ delta }) => delta.content).join('')).toBe('one two three')
      expect(own.map(({ delta }) => delta.role).filter((role) => role !== undefined)).toEqual(['assistant'])
      expect(own.at(-1)).toMatchObject({ finish_reason: 'stop' })
      expect(own.some((choice) => 'text' in choice)).toBe(false)
    }
  })

  test('in a piece that says nothing, while there is nothing to tell', () => {
    const stream = fim.encoder(fim.parse(incoming({ ...asked, stream: true })), () => ({ slow: false }))
    expect(stream.idle?.(0)).toContain('"object":"chat.completion.chunk","model":"codestral"')
    expect(stream.idle?.(0)).toContain('"choices":[{"index":0,"delta":{},')
  })

  test('or OpenAI’s for an error, before a stream and in the middle of one', async () => {
    await using gateway = await startTestGateway()
    const early = await post(gateway.url + path, { model: 'sim-status-503', prompt: 'p', stream: true })
    expect(early.status).toBe(503)
    expect(await early.json()).toMatchObject({ error: { code: 'server_is_overloaded' } })
    const late = await post(gateway.url + path, { model: 'sim-cut-2', prompt: 'a b c d e f', stream: true })
    const text = await late.text()
    expect(text).toContain('"error":{')
    expect(text).not.toContain('[DONE]')
  })
})

function post(url: string, body: object): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': 'as-continue-sends-it' },
    body: JSON.stringify(body),
  })
}
