import { describe, expect, test } from 'vitest'
import { ask, startGatewayAt } from '../../harness/gateway-over.ts'
import { answer, startRawServer } from '../../harness/raw-server.ts'

const usage = { prompt_tokens: 2, completion_tokens: 2, total_tokens: 4 }

/** Gives one choice for each prompt, whatever `n` says; or `count` in all. */
function startForgetful(count?: number) {
  return startRawServer((socket, { body }) => {
    const { prompt, stream } = JSON.parse(body) as { prompt: string | string[]; stream?: boolean }
    const prompts = [prompt].flat()
    const texts = Array.from(
      { length: count ?? prompts.length },
      (_, index) => `${prompts[index % prompts.length]}!`,
    )
    const choices = texts.map((text, index) => ({ index, text, finish_reason: 'stop', logprobs: null }))
    const reply = { id: 'c', object: 'text_completion', created: 1, model: 'm', choices }
    const events = `data: ${JSON.stringify(reply)}\n\ndata: ${JSON.stringify({ ...reply, choices: [], usage })}\n\ndata: [DONE]\n\n`
    socket.write(
      stream === true
        ? answer(events, { headers: { 'content-type': 'text/event-stream' } })
        : answer(JSON.stringify({ ...reply, usage })),
    )
  })
}

describe('an upstream that gives fewer choices than were asked for', () => {
  test('of several prompts one each: the others are asked for, and all are where they belong', async () => {
    await using upstream = await startForgetful()
    await using gateway = await startGatewayAt(upstream.origin)
    const heard = await ask(gateway, '/v1/completions', { model: 'm', prompt: ['a', 'b'], n: 2 })
    expect(heard.status).toBe(200)
    expect(heard.values).toMatchObject([
      {
        choices: [
          { index: 0, text: 'a!' },
          { index: 1, text: 'a!' },
          { index: 2, text: 'b!' },
          { index: 3, text: 'b!' },
        ],
        usage: { completion_tokens: 6 },
      },
    ])
    expect(upstream.requests).toHaveLength(3)
  })

  test('that cannot be assigned to their prompts, is refused', async () => {
    await using upstream = await startForgetful(3)
    await using gateway = await startGatewayAt(upstream.origin)
    const heard = await ask(gateway, '/v1/completions', { model: 'm', prompt: ['a', 'b'], n: 2 })
    expect(heard.status).toBe(502)
    expect(heard.text).toContain('The upstream gave 3 of the 4 choices that were requested.')
  })

  test('streamed, is no whole answer', async () => {
    await using upstream = await startForgetful()
    await using gateway = await startGatewayAt(upstream.origin)
    const heard = await ask(gateway, '/v1/completions', {
      model: 'm',
      prompt: ['a', 'b'],
      n: 2,
      stream: true,
    })
    expect(heard.text).not.toContain('[DONE]')
    expect(heard.values.at(-1)).toMatchObject({ error: { code: 'upstream_stream_interrupted' } })
  })

  test('whole, where it gives all, is left as it is', async () => {
    await using upstream = await startForgetful(4)
    await using gateway = await startGatewayAt(upstream.origin)
    const heard = await ask(gateway, '/v1/completions', { model: 'm', prompt: ['a', 'b'], n: 2 })
    expect(heard.values).toMatchObject([{ choices: [{}, {}, {}, {}] }])
    expect(upstream.requests).toHaveLength(1)
  })
})

test('fields beside a repeated finish reason reach who did not ask for usage', async () => {
  const chunk = (choice: object, more: object = {}) =>
    `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', ...more, choices: [{ index: 0, ...choice }] })}\n\n`
  const events =
    chunk({ delta: { role: 'assistant', content: 'Hi' }, finish_reason: null }) +
    chunk({ delta: {}, finish_reason: 'stop' }) +
    chunk(
      { delta: {}, finish_reason: 'stop' },
      { service_tier: 'flex', citations: ['https://a.test/'], usage },
    ) +
    'data: [DONE]\n\n'
  await using upstream = await startRawServer((socket) =>
    socket.write(answer(events, { headers: { 'content-type': 'text/event-stream' } })),
  )
  await using gateway = await startGatewayAt(upstream.origin)
  const heard = await ask(gateway, '/v1/chat/completions', {
    ...{ model: 'm', stream: true },
    messages: [{ role: 'user', content: 'Hi' }],
  })
  expect(heard.values.at(-1)).toMatchObject({ service_tier: 'flex', citations: ['https://a.test/'] })
  const reasons = heard.text.match(/"finish_reason":"stop"/g)
  expect(reasons).toHaveLength(1)
  expect(heard.text).toContain('[DONE]')
})
