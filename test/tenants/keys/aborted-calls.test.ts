import { describe, expect, test } from 'vitest'
import { startTestGateway, type TestGateway } from '../../harness/gateway.ts'
import { startHeldUpstream } from '../held-upstream.ts'
import { ask, configAt } from '../stage.ts'

const adminKey = 'pgm_admin-0123456789'
const usage = { prompt_tokens: 8, completion_tokens: 5 }

function scene(url: string) {
  const { tenants: _, ...config } = configAt(url, {})
  return { ...config, adminKeys: [{ key: adminKey, role: 'admin' as const }] }
}

type Made = { readonly data: { readonly hash: string }; readonly key: string }

async function admin(gateway: TestGateway, method: string, path: string, body?: object): Promise<Made> {
  const response = await fetch(`${gateway.url}/admin/api${path}`, {
    method,
    headers: { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  expect(response.ok).toBe(true)
  return (await response.json()) as Made
}

async function makeKey(gateway: TestGateway, more: object = {}): Promise<Made> {
  return await admin(gateway, 'POST', '/keys', { name: 'taken', limit: 1, ...more })
}

function bearer({ key }: Made): Record<string, string> {
  return { authorization: `Bearer ${key}` }
}

/** A stream that has begun and does not end. */
async function openStream(gateway: TestGateway, made: Made) {
  const response = await ask(gateway.url, { stream: true, max_tokens: 100_000 }, bearer(made))
  expect(response.status).toBe(200)
  const reader = (response.body as ReadableStream<Uint8Array>).getReader()
  const decoder = new TextDecoder()
  let text = decoder.decode((await reader.read()).value)
  return {
    async rest() {
      for (;;) {
        const { done, value } = await reader.read()
        if (done) return text
        text += decoder.decode(value)
      }
    },
  }
}

describe('a key that is taken back with ?abort=true', () => {
  test.for<[string, (gateway: TestGateway, made: Made) => Promise<unknown>]>([
    ['deleted', (gateway, { data }) => admin(gateway, 'DELETE', `/keys/${data.hash}?abort=true`)],
    [
      'disabled',
      (gateway, { data }) => admin(gateway, 'PATCH', `/keys/${data.hash}?abort=true`, { disabled: true }),
    ],
    ['rotated', (gateway, { data }) => admin(gateway, 'POST', `/keys/${data.hash}/rotate?abort=true`, {})],
  ])('has its stream ended with the reason: %s', async ([, take]) => {
    await using upstream = await startHeldUpstream({ words: 1_000_000, isHeld: false })
    await using gateway = await startTestGateway(scene(upstream.url))
    const made = await makeKey(gateway)
    const stream = await openStream(gateway, made)
    await take(gateway, made)
    const text = await stream.rest()
    expect(text).toContain('"code":"key_revoked"')
    expect(text).not.toContain('[DONE]')
    const { outcome, failure, attempts, costNanoUsd } = await gateway.recorded()
    expect([outcome, failure?.kind]).toEqual(['failed', 'revoked'])
    expect(attempts).toMatchObject([{ outcome: 'revoked' }])
    // What was written is charged; nothing stays held.
    expect(costNanoUsd).toBeGreaterThan(0)
    expect((await ask(gateway.url, {}, bearer(made))).status).toBe(401)
  })

  test('has a call that waits for its answer refused, and its hold settled', async () => {
    await using upstream = await startHeldUpstream({ usage })
    await using gateway = await startTestGateway(scene(upstream.url))
    const made = await makeKey(gateway, { budgets: [{ name: 'b', limit: 1, window: 'total' }] })
    const answered = ask(gateway.url, {}, { ...bearer(made), 'idempotency-key': 'once' })
    await expect.poll(() => upstream.asked.length).toBe(1)
    await admin(gateway, 'DELETE', `/keys/${made.data.hash}?abort=true`)
    const response = await answered
    expect(response.status).toBe(401)
    expect(await response.json()).toMatchObject({ error: { code: 'key_revoked' } })
    const { attempts } = await gateway.recorded()
    // The upstream has the request: whether it bills it is not known.
    expect(attempts).toMatchObject([{ outcome: 'revoked', isUncertain: true }])
  })

  test('takes the calls of no other key along', async () => {
    await using upstream = await startHeldUpstream({ usage })
    await using gateway = await startTestGateway(scene(upstream.url))
    const [one, other] = [await makeKey(gateway), await makeKey(gateway, { name: 'stays' })]
    const answered = ask(gateway.url, {}, bearer(other))
    await expect.poll(() => upstream.asked.length).toBe(1)
    await admin(gateway, 'DELETE', `/keys/${one.data.hash}?abort=true`)
    upstream.release()
    expect((await answered).status).toBe(200)
  })
})

test('a team that is deleted with ?abort=true has the calls of its keys ended', async () => {
  await using upstream = await startHeldUpstream({ words: 1_000_000, isHeld: false })
  await using gateway = await startTestGateway(scene(upstream.url))
  await admin(gateway, 'POST', '/teams', { name: 'research' })
  const stream = await openStream(gateway, await makeKey(gateway, { team: 'research' }))
  await admin(gateway, 'DELETE', '/teams/research?abort=true')
  expect(await stream.rest()).toContain('"code":"key_revoked"')
})

test('without it, a running call finishes', async () => {
  await using upstream = await startHeldUpstream({ usage })
  await using gateway = await startTestGateway(scene(upstream.url))
  const made = await makeKey(gateway)
  const answered = ask(gateway.url, {}, bearer(made))
  await expect.poll(() => upstream.asked.length).toBe(1)
  await admin(gateway, 'DELETE', `/keys/${made.data.hash}`)
  upstream.release()
  expect((await answered).status).toBe(200)
  expect((await ask(gateway.url, {}, bearer(made))).status).toBe(401)
})
