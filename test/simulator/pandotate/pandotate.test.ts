import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, expect, test, vi } from 'vitest'
import { simulatePandotate } from '../../../src/simulator/pandotate/pandotate.ts'
import { ask, open, start, until, visitOf } from '../harness.ts'

describe('what Pandotate answers', () => {
  test('is its own shape, with the tokens of the prompt and of the answer', async () => {
    await using pandotate = await start()
    const { status, headers, body } = await ask(pandotate, {
      model: 'sim-echo',
      prompt: 'one "two"\n😀',
      max_tokens: 50,
    })
    expect(status).toBe(200)
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'content-length': `${Buffer.byteLength(body)}`,
      'x-request-id': 'pandotate-1',
    })
    expect(JSON.parse(body)).toEqual({
      model: 'sim-echo',
      output: 'one "two"\n😀',
      tokens: 3,
      completion_tokens: 3,
    })
  })

  test('of a prompt flattened by a chat template is the answer to its last user message', async () => {
    await using pandotate = await start()
    const prompt = '<|im_start|>user\nhello there<|im_end|>\n<|im_start|>assistant\n'
    const { body } = await ask(pandotate, { model: 'sim-echo', prompt, stop: ['<|im_end|>'] })
    expect(JSON.parse(body)).toMatchObject({ output: 'hello there', tokens: 4, completion_tokens: 2 })
  })

  test.for([
    [{ max_tokens: 1 }, 'one'],
    [{ max_tokens: 0 }, ''],
    [{ stop: ' three' }, 'one two'],
    [{ stop: ['three', 'two'] }, 'one '],
  ] as const)('heeds %j', async ([bounds, output]) => {
    await using pandotate = await start()
    const { body } = await ask(pandotate, { model: 'sim-echo', prompt: 'one two three', ...bounds })
    expect(JSON.parse(body)).toMatchObject({ output })
  })

  test('is never a stream', async () => {
    await using pandotate = await start()
    const { headers, body } = await ask(pandotate, { model: 'mistral-7b', prompt: 'hi', stream: true })
    expect(headers['content-type']).toBe('application/json')
    expect(JSON.parse(body)).toMatchObject({ model: 'mistral-7b' })
  })
})

describe('a client that leaves', () => {
  test.for([
    ['sim-slow-600000', 1],
    ['sim-drip-600000', 1],
    ['sim-stall-0', 0],
    ['sim-stall-3', 0],
  ] as const)('is counted, not billed, and its timer cleared, with %s', async ([model, timers]) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      await using pandotate = await start()
      const visit = open(pandotate, { model, prompt: 'hi' })
      await until(() => pandotate.requests.length === 1)
      expect(vi.getTimerCount()).toBe(timers)
      visit.leave()
      await until(() => pandotate.abandoned() === 1)
      expect(vi.getTimerCount()).toBe(0)
      expect(pandotate.bill().answers).toBe(0)
      expect(pandotate.hits()).toBe(1)
    } finally {
      vi.useRealTimers()
    }
  })

  test('half way through its own request breaks nothing', async () => {
    await using pandotate = await start()
    const { hostname, port } = new URL(pandotate.url)
    const socket = connect(Number(port), hostname)
    socket.write('POST /api/inference HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{"model":')
    await until(() => pandotate.hits() === 1)
    socket.destroy()
    await until(() => pandotate.abandoned() === 1)
    expect(pandotate.requests).toEqual([])
    expect((await ask(pandotate, { model: 'sim-echo', prompt: 'hi' })).status).toBe(200)
  })
})

describe('what Pandotate refuses', () => {
  const whole = JSON.stringify({ model: 'sim-echo', prompt: 'hi' })
  test.for([
    ['no bearer', { authorization: undefined }, whole, 401, 'Missing API key'],
    ['a wrong bearer', { authorization: 'Bearer pk_other' }, whole, 401, 'Invalid API key'],
    ['a key that is no bearer', { authorization: 'pk_right' }, whole, 401, 'Invalid API key'],
    ['a body that is not JSON', {}, '{"model":', 400, 'Invalid JSON body'],
    ['no body', {}, '', 400, 'Invalid JSON body'],
    ['a list', {}, '[]', 400, 'Invalid JSON body'],
    ['no model', {}, '{"prompt":"hi"}', 400, 'model field is required'],
    ['an empty model', {}, '{"model":"","prompt":"hi"}', 400, 'model field is required'],
    ['several prompts', {}, '{"model":"m","prompt":["a","b"]}', 400, 'prompt must be a string'],
    ['no prompt', {}, '{"model":"m"}', 400, 'prompt must be a string'],
  ] as const)('%s', async ([, headers, body, status, error]) => {
    await using pandotate = await start('pk_right')
    const outcome = await ask(pandotate, body, { authorization: 'Bearer pk_right', ...headers })
    expect(outcome).toMatchObject({ status, body: JSON.stringify({ error }) })
  })

  test.for([
    ['GET', '/api/inference', 405, 'Method not allowed'],
    ['POST', '/v1/completions', 404, 'Not found'],
    ['GET', '/', 404, 'Not found'],
  ] as const)('%s %s', async ([method, path, status, error]) => {
    await using pandotate = await start()
    const outcome = await visitOf(new URL(path, pandotate.url), '', {}, method).outcome
    expect(outcome).toMatchObject({ status, body: JSON.stringify({ error }) })
    expect(outcome.headers.allow).toBe(status === 405 ? 'POST' : undefined)
  })

  test('a body too large, and then listens on', async () => {
    await using pandotate = await start()
    const { status } = await ask(pandotate, ' '.repeat(64 * 1024 * 1024 + 1))
    expect(status).toBe(413)
    expect((await ask(pandotate, { model: 'sim-echo', prompt: 'hi' })).status).toBe(200)
  })

  test('nothing for want of a key when it asks for none', async () => {
    await using pandotate = await start()
    expect((await ask(pandotate, { model: 'sim-echo', prompt: 'hi' })).status).toBe(200)
  })
})

describe('what Pandotate remembers', () => {
  test('has every request unchanged', async () => {
    await using pandotate = await start('pk_right')
    const body = '{"model":"m", "prompt":"hi"}'
    await ask(pandotate, body, { Authorization: 'Bearer pk_wrong', 'X-Extra': '1' })
    expect(pandotate.hits()).toBe(1)
    expect(pandotate.requests).toEqual([
      {
        method: 'POST',
        path: '/api/inference',
        headers: expect.objectContaining({ authorization: 'Bearer pk_wrong', 'x-extra': '1' }),
        body,
      },
    ])
  })

  test('is at most the latest thousand, and the number of all', async () => {
    await using pandotate = await start()
    for (let at = 0; at < 1010; at++) await ask(pandotate, `${at}`)
    expect(pandotate.hits()).toBe(1010)
    expect(pandotate.requests).toHaveLength(1000)
    expect(pandotate.requests.at(-1)?.body).toBe('1009')
  })

  test('is a bill of whole answers by their true counts', async () => {
    await using pandotate = await start()
    const prompt = 'one two three'
    for (const model of [
      'sim-long-5',
      'sim-usage-weird-long-5',
      'sim-nousage-long-5',
      'sim-cut-1',
      'sim-status-500',
    ]) {
      await ask(pandotate, { model, prompt })
    }
    expect(pandotate.bill()).toEqual({ answers: 3, promptTokens: 9, completionTokens: 15 })
  })
})

describe('a simulated Pandotate', () => {
  test('serves many connections at once', async () => {
    await using pandotate = await start()
    const prompts = Array.from({ length: 200 }, (_, index) => `prompt ${index}`)
    const outcomes = await Promise.all(prompts.map((prompt) => ask(pandotate, { model: 'sim-echo', prompt })))
    expect(outcomes.map(({ body }) => JSON.parse(body).output)).toEqual(prompts)
    expect(pandotate.hits()).toBe(200)
  })

  test('closes every socket when disposed, whatever is running', async () => {
    const pandotate = await start()
    const { hostname, port } = new URL(pandotate.url)
    const idle = connect(Number(port), hostname)
    await once(idle, 'connect')
    const visits = ['sim-stall-0', 'sim-stall-2', 'sim-slow-600000'].map((model) =>
      open(pandotate, { model, prompt: 'hi' }),
    )
    await until(() => pandotate.requests.length === 3)
    await Promise.all([pandotate[Symbol.asyncDispose](), once(idle, 'close')])
    for (const { outcome } of visits) expect((await outcome).broken).toBe('ECONNRESET')
    expect(pandotate.abandoned()).toBe(0)
    expect((await ask(pandotate, '')).broken).toBe('ECONNREFUSED')
  })

  test('rejects when its port is taken', async () => {
    await using pandotate = await start()
    const port = Number(new URL(pandotate.url).port)
    await expect(simulatePandotate({ host: '127.0.0.1', port })).rejects.toMatchObject({ code: 'EADDRINUSE' })
  })
})
