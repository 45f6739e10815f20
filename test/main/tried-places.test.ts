import { expect, test } from 'vitest'
import { ask, startGatewayOver } from '../harness/gateway-over.ts'
import { answer, startRawServer } from '../harness/raw-server.ts'

const paths = {
  '/v1/chat/completions': { messages: [{ role: 'user', content: 'Hi' }] },
  '/v1/completions': { prompt: 'Hi' },
  '/v1/responses': { input: 'Hi' },
  '/v1/messages': { max_tokens: 5, messages: [{ role: 'user', content: 'Hi' }] },
  '/v1/embeddings': { input: 'Hi' },
} as const

test.for(Object.entries(paths))(
  'an error of %s says how many deployments were tried, and one word why for each',
  async ([path, body]) => {
    await using broken = await startRawServer((socket) => socket.write(answer('{}', { status: 500 })))
    await using full = await startRawServer((socket) => socket.write(answer('{}', { status: 429 })))
    const at = (origin: string) => ({ type: 'openai-compatible', baseUrl: `${origin}/v1`, retries: 0 })
    await using gateway = await startGatewayOver({
      providers: { one: at(broken.origin), two: at(full.origin) },
      models: { m: { deployments: [{ provider: 'one' }, { provider: 'two' }] } },
    })
    const heard = await ask(gateway, path, { model: 'm', ...body })
    expect(heard.status).toBe(429)
    expect(heard.text).toContain('2 deployments were tried (m@one: upstream_error; m@two: rate_limited).')
  },
)
