import { createHmac } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import type { Config } from '../../../src/config.ts'
import { simulatorConfig, startTestGateway, type TestGateway } from '../../harness/gateway.ts'
import { temporaryDirectory } from '../../harness/temporary-directory.ts'
import { startHeldUpstream } from '../held-upstream.ts'
import { ask, configAt, keyWith, rule } from '../stage.ts'

/** Each call costs a million nano-USD: a tenth of the limit. */
const usage = { prompt_tokens: 990, completion_tokens: 5 }
const limit = 10_000_000
const webhookSecret = 'whsec-0123456789'

test('parts of a budget are reported once per window, in the log and to a webhook that can prove whose they are', async () => {
  await using scene = await setUp()
  await using gateway = await scene.start()
  for (let call = 1; call <= 10; call++) await spend(gateway, call)
  await expect.poll(() => scene.posts.length).toBe(4)
  expect(scene.posts.map(({ body }) => body.data.at)).toEqual([0.5, 0.75, 0.9, 1])
  const [first] = scene.posts
  expect(first?.body).toMatchObject({
    type: 'budget.alert',
    at: expect.stringMatching(/^\d{4}-\d{2}-\d{2}T/),
    data: {
      ...{ title: 'tester all', window: 'total', limit_nano_usd: limit, limit_usd: 0.01 },
      ...{ spent_nano_usd: 5_000_000, spent_usd: 0.005 },
    },
  })
  for (const { text, signature } of scene.posts) {
    const own = createHmac('sha256', webhookSecret).update(text).digest('hex')
    expect(signature).toBe(`sha256=${own}`)
  }
  expect(gateway.logged().split('"a part of a budget is used"')).toHaveLength(5)
  expect(gateway.logged()).not.toContain(webhookSecret)
})

test('after a restart, what was told is not told again, and the rest is', async () => {
  await using scene = await setUp()
  {
    await using gateway = await scene.start()
    for (let call = 1; call <= 8; call++) await spend(gateway, call)
    await expect.poll(() => scene.posts.length).toBe(2)
  }
  await using gateway = await scene.start()
  for (let call = 1; call <= 2; call++) await spend(gateway, call)
  await expect.poll(() => scene.posts.length).toBe(4)
  expect(scene.posts.map(({ body }) => body.data.at)).toEqual([0.5, 0.75, 0.9, 1])
})

test('a webhook that fails is logged, and delays no call', async () => {
  await using scene = await setUp(500)
  await using gateway = await scene.start()
  for (let call = 1; call <= 5; call++) await spend(gateway, call)
  await expect.poll(() => gateway.logged()).toContain('the alert webhook refused an alert')
})

type Post = {
  readonly text: string
  readonly signature: string | undefined
  readonly body: { readonly data: { readonly at: number } }
}

async function setUp(status = 204) {
  const posts: Post[] = []
  const webhook = createServer((request, response) => {
    let text = ''
    request.setEncoding('utf8').on('data', (piece: string) => {
      text += piece
    })
    request.on('end', () => {
      const signature = request.headers['x-pandotate-signature'] as string | undefined
      posts.push({ text, signature, body: JSON.parse(text) })
      response.writeHead(status).end()
    })
  })
  await new Promise<void>((resolve) => webhook.listen(0, '127.0.0.1', resolve))
  const { port } = webhook.address() as AddressInfo
  const upstream = await startHeldUpstream({ usage, isHeld: false })
  const dataDirectory = await temporaryDirectory('alerts-')
  const config = configAt(upstream.url, {
    keys: [keyWith({ budgets: [rule(limit, { name: 'all' })] })],
    alerts: { at: [0.5, 0.75, 0.9, 1], webhook: `http://127.0.0.1:${port}/hook`, secret: webhookSecret },
  })
  const kept: Partial<Config> = {
    ...{ dataDirectory, isDataDirectoryGiven: true },
    ledger: { ...simulatorConfig.ledger, enabled: true },
  }
  return {
    posts,
    start: () => startTestGateway({ ...config, ...kept }),
    async [Symbol.asyncDispose]() {
      await upstream[Symbol.asyncDispose]()
      webhook.closeAllConnections()
      await new Promise((resolve) => webhook.close(resolve))
    },
  }
}

async function spend(gateway: TestGateway, call: number): Promise<void> {
  const response = await ask(gateway.url, { max_tokens: 5 })
  expect(response.status, await response.text()).toBe(200)
  await gateway.recorded(call)
}
