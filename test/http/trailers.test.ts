import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { startTestGateway } from '../harness/gateway.ts'

test('a stream that was continued elsewhere reports it in its trailers', async () => {
  await using gateway = await startTestGateway({
    providers: ['one', 'other'].map((name) => ({ name, type: 'simulator', settings: {} })),
    routes: [
      {
        pattern: 'm',
        strategy: 'fallback',
        deployments: [
          { provider: 'one', model: 'sim-cut-2' },
          { provider: 'other', model: 'sim-echo' },
        ],
      },
    ],
  })
  const body = JSON.stringify({ model: 'm', stream: true, prompt: 'one two three four' })
  const { answer, headers, trailers } = await post(`${gateway.url}/v1/completions`, body)
  expect(headers['x-pandotate-attempts']).toBe('1')
  expect(trailers['x-pandotate-attempts']).toBe('2')
  expect(answer).toContain('data: [DONE]')
  const record = await gateway.recorded()
  expect([...record.flags]).toEqual(['continued'])
  expect(record.attempts.map(({ deployment, isResumed }) => [deployment, isResumed])).toEqual([
    ['sim-cut-2@one', false],
    ['sim-echo@other', true],
  ])
})

async function post(url: string, body: string) {
  const { promise, resolve, reject } = Promise.withResolvers<import('node:http').IncomingMessage>()
  request(url, { method: 'POST', headers: { 'content-type': 'application/json' } }, resolve)
    .on('error', reject)
    .end(body)
  const response = await promise
  const answer = await text(response)
  return { answer, headers: response.headers, trailers: response.trailers }
}
