import { describe, expect, test } from 'vitest'
import { startTestGateway } from '../../harness/gateway.ts'
import { answer, chunk, lastChunk, startRawServer, streamHead } from '../../harness/raw-server.ts'
import { done, event, servedBy } from '../../harness/upstreams.ts'

const nested = '['.repeat(8000) + ']'.repeat(8000)

const choice = { index: 0, message: { role: 'assistant', content: 'fine' }, finish_reason: 'stop' }
const vectors = '{"object":"list","data":[{"index":0,"object":"embedding","embedding":[1]}]}'
const streamOf = (events: string) => streamHead() + chunk(events) + lastChunk

const asked = {
  '/chat/completions': { messages: [{ role: 'user', content: 'Hi.' }] },
  '/completions': { prompt: 'Hi.' },
  '/responses': { input: 'Hi.' },
  '/messages': { max_tokens: 9, messages: [{ role: 'user', content: 'Hi.' }] },
}

describe('an answer nested deeper than anybody reads', () => {
  const cases = [
    ['/chat/completions', asked['/chat/completions']],
    ['/completions', asked['/completions']],
    ['/responses', asked['/responses']],
    ['/messages', asked['/messages']],
  ] as const
  test.for(cases)('of %s is none, and another upstream is asked', async ([path, body]) => {
    const fine = JSON.stringify({ choices: [{ ...choice, text: 'fine' }] })
    await using first = await startRawServer((socket) =>
      socket.write(answer(fine.replace('{"choices"', `{"more":${nested},"choices"`))),
    )
    await using second = await startRawServer((socket) => socket.write(answer(fine)))
    await using gateway = await startTestGateway(servedBy([first, second]))
    const { status, text } = await post(`${gateway.url}/v1${path}`, body)
    expect(status, text).toBe(200)
    expect(text).toContain('fine')
    expect(outcomes(await gateway.recorded())).toEqual(['invalid_response', 'ok'])
  })

  test('of embeddings, likewise', async () => {
    await using first = await startRawServer((socket) =>
      socket.write(answer(vectors.replace('{"object"', `{"more":${nested},"object"`))),
    )
    await using second = await startRawServer((socket) => socket.write(answer(vectors)))
    await using gateway = await startTestGateway(servedBy([first, second]))
    const asked = { input: 'a', encoding_format: 'float' }
    expect(await post(`${gateway.url}/v1/embeddings`, asked)).toMatchObject({ status: 200 })
    expect(outcomes(await gateway.recorded())).toEqual(['invalid_response', 'ok'])
  })

  test('of a stream, likewise', async () => {
    const fine = event('fine', 'stop')
    await using first = await startRawServer((socket) =>
      socket.write(streamOf(fine.replace('"index"', `"more":${nested},"index"`) + done)),
    )
    await using second = await startRawServer((socket) => socket.write(streamOf(fine + done)))
    await using gateway = await startTestGateway(servedBy([first, second]))
    const { text } = await post(`${gateway.url}/v1/chat/completions`, {
      ...asked['/chat/completions'],
      stream: true,
    })
    expect(text).toContain('"fine"')
    expect(text).not.toContain('error')
    expect(outcomes(await gateway.recorded())).toEqual(['invalid_response', 'ok'])
  })

  test('is a 502 where nobody else is there', async () => {
    await using server = await startRawServer((socket) =>
      socket.write(answer(`{"choices":[{"text":"","finish_reason":"stop","more":${nested}}]}`)),
    )
    await using gateway = await startTestGateway(servedBy([server]))
    expect(await post(`${gateway.url}/v1/completions`, asked['/completions'])).toMatchObject({
      status: 502,
      text: expect.stringContaining('upstream_invalid_response'),
    })
  })
})

function outcomes({ attempts }: { readonly attempts: readonly { readonly outcome: string }[] }) {
  return attempts.map(({ outcome }) => outcome)
}

async function post(url: string, body: object) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': 'any' },
    body: JSON.stringify({ model: 'm', ...body }),
  })
  return { status: response.status, text: await response.text() }
}
