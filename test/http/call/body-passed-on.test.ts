import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { startTestGateway } from '../../harness/gateway.ts'
import { answer, startRawServer } from '../../harness/raw-server.ts'
import { servedBy } from '../../harness/upstreams.ts'

const message = { role: 'assistant', content: 'Hi.' }
const choices = [{ index: 0, message, finish_reason: 'stop' }]
const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 }
const reply = { id: 'c', object: 'chat.completion', created: 1, model: 'm', choices, usage }

const text =
  '{ "model":"m",\n"seed":12345678901234567890, "messages":[{"role":"user","content":"Grüße 😀\\u00e9"}] }'
const long = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'é'.repeat(300_000) }] })

test.for([
  ['in one piece', Buffer.from(text), {}, text],
  ['longer than one read', Buffer.from(long), {}, long],
  ['after a byte-order mark', Buffer.from(`\uFEFF${text}`), {}, text],
  ['compressed', gzipSync(text), { 'content-encoding': 'gzip' }, text],
  ['for another model', Buffer.from(text.replace('"m"', '"other"')), {}, text],
] as const)('a body %s continues as its caller wrote it', async ([, body, headers, sent]) => {
  await using upstream = await startRawServer((socket) => socket.write(answer(JSON.stringify(reply))))
  await using gateway = await startTestGateway(servedBy([upstream]))
  const answered = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  })
  expect(answered.status).toBe(200)
  const { body: arrived } = await upstream.arrival(1)
  expect(arrived).toBe(sent)
})
