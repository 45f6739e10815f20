import { expect, test } from 'vitest'
import type { TestGateway } from '../harness/gateway.ts'
import { ask, startGatewayOver } from '../harness/gateway-over.ts'
import { answer, startRawServer } from '../harness/raw-server.ts'

const prompt = 'A secret plan that nobody may read'
const body = { model: 'm', messages: [{ role: 'user', content: prompt }] }
const reply = JSON.stringify({
  ...{ id: 'c', object: 'chat.completion', created: 1, model: 'm' },
  choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'Another secret' } }],
})

test('each step of a call is logged when it is taken, and no word of a body', async () => {
  const limited = { status: 429, headers: { 'retry-after-ms': '1', 'x-ratelimit-remaining-requests': '0' } }
  let asked = 0
  await using one = await startRawServer((socket) =>
    socket.write(++asked === 1 ? answer('{"error":{"message":"Slow down"}}', limited) : answer(reply)),
  )
  await using gateway = await startGatewayOver({
    providers: {
      one: { type: 'openai-compatible', baseUrl: `${one.origin}/v1`, retries: 1, retryDelayMs: 1 },
    },
    models: { m: { deployments: [{ provider: 'one' }] } },
  })
  expect(await ask(gateway, '/v1/chat/completions', body)).toMatchObject({ status: 200 })
  const { id } = await gateway.recorded()
  const steps = stepsOf(gateway, id)
  expect(steps).toMatchObject([
    {
      level: 10,
      msg: 'request',
      shape: { model: 'text 1', messages: [{ content: `text ${prompt.length}` }] },
    },
    { level: 20, msg: 'plan', strategy: 'fallback', route: 'm', order: ['m@one'] },
    { level: 20, msg: 'attempt begins', attempt: `${id}-0`, deployment: 'm@one' },
    { level: 10, msg: 'upstream request', shape: { messages: [{ role: 'text 4' }] } },
    {
      msg: 'upstream answers',
      attempt: `${id}-0`,
      upstreamStatus: 429,
      'retry-after-ms': '1',
      'x-ratelimit-remaining-requests': '0',
    },
    {
      msg: 'attempt ends',
      attempt: `${id}-0`,
      outcome: 'rate_limited',
      upstreamStatus: 429,
      retryAfterMs: 1,
    },
    { msg: 'waits before another attempt', why: 'rate_limited' },
    { msg: 'attempt begins', attempt: `${id}-1` },
    { msg: 'upstream request' },
    { msg: 'upstream answers', upstreamStatus: 200, 'content-type': 'application/json' },
    { msg: 'upstream answer', shape: { choices: [{ message: { content: 'text 14' } }] } },
    { msg: 'attempt ends', attempt: `${id}-1`, outcome: 'ok' },
  ])
  expect(JSON.stringify(steps)).not.toMatch(/secret|Slow down/)
})

test('they are there while the call is still running', async () => {
  await using silent = await startRawServer(() => undefined)
  await using gateway = await startGatewayOver({
    providers: { one: { type: 'openai-compatible', baseUrl: `${silent.origin}/v1` } },
    models: { m: { deployments: [{ provider: 'one' }] } },
  })
  const leaving = new AbortController()
  const waiting = fetch(`${gateway.url}/v1/chat/completions`, {
    ...{ method: 'POST', body: JSON.stringify(body), signal: leaving.signal },
    headers: { 'content-type': 'application/json' },
  }).catch(() => undefined)
  await silent.arrival(1)
  expect(gateway.logged()).toContain('"msg":"attempt begins"')
  expect(gateway.logged()).not.toContain('"msg":"attempt ends"')
  leaving.abort()
  await waiting
  await gateway.recorded()
  expect(gateway.logged()).toContain('"outcome":"caller_left"')
})

test('where no other place can help, that is reported', async () => {
  await using broken = await startRawServer((socket) => socket.write(answer('{}', { status: 500 })))
  await using gateway = await startGatewayOver({
    providers: {
      one: { type: 'openai-compatible', baseUrl: `${broken.origin}/v1`, retries: 0 },
      two: { type: 'openai-compatible', baseUrl: `${broken.origin}/v1`, retries: 0 },
    },
    models: { m: { deployments: [{ provider: 'one' }, { provider: 'two' }] } },
  })
  await ask(gateway, '/v1/chat/completions', body)
  const { id } = await gateway.recorded()
  const told = stepsOf(gateway, id).filter(({ msg }) => /on to|gives up/.test(String(msg)))
  expect(told).toMatchObject([
    { msg: 'goes on to another attempt', why: 'upstream_error' },
    { msg: 'gives up', why: 'upstream_error' },
  ])
})

function stepsOf(gateway: TestGateway, id: string): readonly Readonly<Record<string, unknown>>[] {
  return gateway
    .logged()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter(({ requestId, msg }) => requestId === id && msg !== 'call')
}
