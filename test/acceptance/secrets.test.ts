import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runGateway } from './gateway-process.ts'
import { startHeldUpstream } from './held-upstream.ts'
import { type PandotateStack, startAlone, startBefore, startStack } from './stack.ts'

// Each is unique: where one of them turns up, it came from there.
const ourKey = 'pk_canary_7f3a91_of_the_gateway'
const callersKey = 'pk_canary_2b8c55_of_a_caller'
const gatewayKey = 'sk-canary-99d1e4-of-this-gateway'
const promptWord = 'canaryprompt5e7701'

const secrets = [ourKey, callersKey, gatewayKey]

let stack: PandotateStack
beforeAll(async () => {
  const environment = { PANDOTATE_API_KEY: ourKey, LOG_LEVEL: 'trace' }
  stack = await startStack({ environment })
})
afterAll(() => stack[Symbol.asyncDispose]())

describe('after calls of every kind', () => {
  const models = [
    'sim-echo',
    'sim-status-400',
    'sim-status-401',
    'sim-status-500',
    'sim-cut-3',
    'sim-badjson',
  ]
  const shapes: readonly (readonly [path: string, body: object])[] = [
    ['/v1/completions', { prompt: promptWord }],
    ['/v1/completions', { prompt: [promptWord, promptWord], n: 2, stream: true }],
    ['/v1/completions', { prompt: promptWord, suffix: promptWord }],
    ['/v1/completions', { prompt: { text: promptWord } }],
    ['/v1/completions', { prompt: [promptWord, 5] }],
    ['/v1/completions', { prompt: promptWord, temperature: promptWord }],
    ['/v1/chat/completions', { messages: [{ role: 'user', content: promptWord }] }],
    ['/v1/chat/completions', { messages: [{ role: 'user', content: promptWord }], stream: true }],
    ['/v1/chat/completions', { messages: promptWord }],
    ['/v1/chat/completions', { messages: [{ role: 'user', content: [{ type: 'text', txt: promptWord }] }] }],
    ['/inference', { prompt: promptWord }],
    ['/inference', { prompt: promptWord, stream: true }],
    ['/inference', { prompt: [promptWord] }],
  ]
  const texts = [
    `{"model":"m","prompt":"${promptWord}`,
    `["${promptWord}"]`,
    `{"model":"m","prompt":"${promptWord}","__proto__":{}}`,
  ]
  const heard: string[] = []

  beforeAll(async () => {
    const calls = models.flatMap((model) =>
      shapes.map(([path, body]) => hear(path, JSON.stringify({ model, ...body }))),
    )
    await Promise.all([...calls, ...texts.map((text) => hear('/v1/completions', text))])
    heard.push(await (await fetch(`${stack.gateway.url}/v1/nonsense?key=${callersKey}`)).text())
    const count = calls.length + texts.length
    await stack.gateway.line(() => stack.gateway.log().filter(({ msg }) => msg === 'call').length >= count)
  })

  async function hear(path: string, body: string): Promise<void> {
    const response = await stack.witness.fetch(stack.gateway.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${callersKey}` },
      body,
    })
    const headers = JSON.stringify([...response.headers])
    const text = await response.text()
    // An answer may well say what it was asked to.
    heard.push(headers, response.ok ? text.replaceAll(promptWord, '') : text)
  }

  test('no key, no prompt and no completion is in the log, nor at the console', () => {
    const printed = stack.gateway.stdout() + stack.gateway.stderr()
    expect(stack.gateway.log().length).toBeGreaterThan(80)
    for (const canary of [...secrets, promptWord]) expect(printed).not.toContain(canary)
  })

  test('none is in a header, and none in an error', () => {
    for (const canary of [...secrets, promptWord]) expect(heard.join('\n')).not.toContain(canary)
  })

  test('none is in the metrics', async () => {
    const metrics = await (await fetch(`${stack.gateway.url}/metrics`)).text()
    expect(metrics).toContain('pandotate_calls_total')
    for (const canary of [...secrets, promptWord]) expect(metrics).not.toContain(canary)
  })
})

describe('an upstream that tells what it should not', () => {
  const address = 'http://10.1.2.3:8080/internal/api'
  const gossip = `Key ${ourKey} (Bearer ${callersKey}) is bad at ${address}, to say ${promptWord}`
  const answers = [400, 401, 403, 404, 422, 429, 500, 503].flatMap((status) => [
    { status, body: JSON.stringify({ error: gossip }) },
    {
      status,
      body: JSON.stringify({ error: { message: gossip, code: gossip, param: gossip, type: gossip } }),
    },
    { status, body: JSON.stringify({ detail: [{ loc: ['body', gossip], msg: gossip, input: gossip }] }) },
    { status, body: `<html><pre>${gossip}</pre></html>` },
  ])
  const more = [
    { status: 200, body: JSON.stringify({ error: gossip }) },
    { status: 200, body: JSON.stringify({ message: gossip }) },
    { status: 302, body: gossip },
  ]

  test.for(['/inference', '/v1/completions'])('is not passed on by %s', async (path) => {
    const waiting = [...answers, ...more]
    const total = waiting.length
    await using upstream = await startHeldUpstream((response) => {
      const { status, body } = waiting.shift() ?? { status: 500, body: '' }
      response
        .writeHead(status, { 'content-type': 'application/json', location: address, 'x-key': ourKey })
        .end(body)
    })
    const environment = { PANDOTATE_API_KEY: ourKey, PANDOTATE_RETRIES: '0' }
    await using near = await startBefore(upstream.url, { environment })
    for (let at = 0; at < total; at++) {
      const response = await near.witness.fetch(near.gateway.url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${callersKey}` },
        body: JSON.stringify({ model: 'm', prompt: promptWord }),
      })
      expect(response.status).toBeGreaterThanOrEqual(400)
      const told = JSON.stringify([...response.headers]) + (await response.text())
      for (const canary of [...secrets, '10.1.2.3', 'internal/api']) expect(told).not.toContain(canary)
    }
    await near.gateway.stop()
    for (const canary of [...secrets, promptWord, '10.1.2.3'])
      expect(near.gateway.stdout()).not.toContain(canary)
  })
})

describe('the gateway’s own words', () => {
  const file = `auth: { keys: ['${gatewayKey}'] }\nproviders: { pandotate: { apiKey: '${ourKey}' } }`

  test('mask every key when it shows its configuration', async () => {
    const { code, stdout, stderr } = await runGateway(['check'], { file })
    expect(code).toBe(0)
    expect(stdout).toContain('pandotate')
    for (const canary of secrets) expect(stdout + stderr).not.toContain(canary)
  })

  test('show no key when its configuration is wrong', async () => {
    const wrong = `${file}\nlog: { level: '${callersKey}' }\nauths: ['${callersKey}']\nserver: '${callersKey}'`
    const { code, stdout, stderr } = await runGateway(['serve'], { file: wrong })
    expect(code).toBe(1)
    for (const canary of [ourKey, gatewayKey]) expect(stdout + stderr).not.toContain(canary)
  })

  test('log a caller by a fingerprint of the key', async () => {
    await using guarded = await startAlone({ file: `auth: { keys: ['${gatewayKey}'] }` })
    const response = await fetch(`${guarded.gateway.url}/v1/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${gatewayKey}` },
      body: '{"model":"m","prompt":5}',
    })
    const line = await guarded.gateway.record(response.headers.get('x-request-id'))
    expect(line['principal']).toMatch(/^key-[0-9a-f]{8}$/)
    expect(guarded.gateway.stdout()).not.toContain(gatewayKey)
  })
})
