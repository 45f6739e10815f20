import { describe, expect, test } from 'vitest'
import { ask, startGatewayAt } from '../../harness/gateway-over.ts'
import { answer, startRawServer } from '../../harness/raw-server.ts'

const prompt = 'A secret plan that nobody may read'
const messages = [{ role: 'user', content: prompt }]

const dialects = [
  ['/v1/chat/completions', { messages }],
  ['/v1/completions', { prompt }],
  ['/v1/responses', { input: prompt }],
  ['/v1/messages', { max_tokens: 9, messages }],
  ['/inference', { prompt }],
] as const

/** As OpenRouter and Groq say what stood behind them. */
const error = {
  message: `Worker died at 10.0.0.7 over "${prompt}"`,
  metadata: { raw: 'CUDA error: an illegal memory access' },
  failed_generation: '<function=f>{"a":',
}

const told = 'Worker died at [removed] over [request text]'

const chunk = (delta: object) =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, finish_reason: null, ...delta }] })}\n\n`

describe('an error inside a 200', () => {
  test.for(dialects)('as the whole answer: %s', async ([path, body]) => {
    await using server = await startRawServer((socket) => socket.write(answer(JSON.stringify({ error }))))
    await using gateway = await startGatewayAt(server.origin)
    const heard = await ask(gateway, path, { model: 'm', ...body })
    expect(heard.status).toBe(502)
    await expectTold(gateway, heard.text)
  })

  test.for(
    dialects.flatMap(
      ([path, body]) =>
        [
          [path, 'first', '', body],
          [path, 'in the middle', 'once', body],
        ] as const,
    ),
  )('in a stream: %s, %s', async ([path, , times, body]) => {
    await using server = await startRawServer((socket) => {
      const words = times === '' ? '' : chunk({ delta: { role: 'assistant', content: 'Hel' }, text: 'Hel' })
      socket.write(
        answer(`${words}data: ${JSON.stringify({ error })}\n\n`, {
          headers: { 'content-type': 'text/event-stream' },
        }),
      )
    })
    await using gateway = await startGatewayAt(server.origin)
    const heard = await ask(gateway, path, { model: 'm', stream: true, ...body })
    await expectTold(gateway, heard.text)
  })

  test('that is about the request is reported in its words', async () => {
    const message = 'image input is not supported by this model'
    await using server = await startRawServer((socket) =>
      socket.write(answer(JSON.stringify({ error: { message } }))),
    )
    await using gateway = await startGatewayAt(server.origin)
    const heard = await ask(gateway, '/v1/chat/completions', { model: 'm', messages })
    expect(heard.text).toContain(`The upstream reported an error instead of an answer. ${message}`)
  })
})

async function expectTold(gateway: Awaited<ReturnType<typeof startGatewayAt>>, heard: string): Promise<void> {
  expect(heard).toContain('CUDA error: an illegal memory access')
  expect(heard).toContain('failed_generation')
  expect(heard).not.toContain('10.0.0.7')
  const { id, attempts } = await gateway.recorded()
  expect(attempts.at(-1)?.failure?.upstreamSaid).toBe(told)
  const generation = await fetch(`${gateway.url}/v1/generation?id=${id}`)
  expect(await generation.json()).toMatchObject({ data: { attempts: [{ upstream_said: told }] } })
  expect(gateway.logged()).not.toContain('secret plan')
  expect(gateway.logged()).not.toContain('CUDA')
}
