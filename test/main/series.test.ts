import { expect, test } from 'vitest'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'

const keys = ['a-key-of-a-caller-of-ours']

test('invented models, paths, keys, users and headers make no series', async () => {
  await using gateway = await startTestGateway({
    keys,
    adminKeys: [{ key: 'a-key-of-the-scraper', role: 'metrics' }],
  })
  // One of each kind of request, so that what there can be is there.
  await flood(gateway, 1)
  const before = await seriesOf(gateway)
  expect(before.size).toBeGreaterThan(100)
  await flood(gateway, 20)
  const after = await seriesOf(gateway)
  expect([...after].filter((series) => !before.has(series))).toEqual([])
  expect([...after].filter((series) => series.includes('invented'))).toEqual([])
})

async function flood({ url }: TestGateway, times: number): Promise<void> {
  const own = { authorization: `Bearer ${keys[0]}` }
  const messages = [{ role: 'user', content: 'Hello.' }]
  for (let turn = 0; turn < times; turn++) {
    const invented = `invented-${times}-${turn}`
    const call = { model: invented, user: invented, messages }
    await post(`${url}/v1/chat/completions`, own, { ...call, metadata: { [invented]: invented } })
    await post(`${url}/v1/chat/completions`, own, { ...call, stream: true })
    await post(
      `${url}/v1/completions`,
      { ...own, 'x-request-id': invented, 'user-agent': invented },
      { model: invented, prompt: 'x' },
    )
    await post(
      `${url}/v1/messages`,
      { 'x-api-key': keys[0] ?? '' },
      { model: invented, max_tokens: 5, messages },
    )
    await post(`${url}/openai/deployments/${invented}/chat/completions`, own, { messages })
    await post(`${url}/v1/chat/completions`, { authorization: `Bearer ${invented}` }, call)
    await post(`${url}/v1/${invented}`, own, call)
    await post(`${url}/v1/chat/completions`, own, { ...call, messages: invented })
    await post(`${url}/v1/chat/completions`, own, { ...call, [invented]: invented, temperature: invented })
    await (
      await fetch(`${url}/${invented}`, {
        method: 'OPTIONS',
        headers: { origin: `http://${invented}.example` },
      })
    ).text()
  }
}

async function post(url: string, headers: Readonly<Record<string, string>>, body: object): Promise<void> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
  await response.text()
}

/** Names with their labels, without the numbers. */
async function seriesOf({ url }: TestGateway): Promise<ReadonlySet<string>> {
  const response = await fetch(`${url}/metrics`, {
    headers: { authorization: 'Bearer a-key-of-the-scraper' },
  })
  expect(response.status).toBe(200)
  const lines = (await response.text()).split('\n').filter((line) => line.startsWith('pandotate_'))
  return new Set(lines.map((line) => line.slice(0, line.lastIndexOf(' '))))
}
