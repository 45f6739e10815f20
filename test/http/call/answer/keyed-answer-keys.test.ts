import { describe, expect, test } from 'vitest'
import { askRaw, openScene, respond } from './keyed-answer-harness.ts'

describe('another call under the same key', () => {
  const refused = {
    message: 'This Idempotency-Key was already used with another request. A new request needs a new key.',
    type: 'invalid_request_error',
    param: 'Idempotency-Key',
    code: 'idempotency_key_reused',
  }

  test.for<[string, object, Record<string, string>]>([
    ['another body', { temperature: 1 }, {}],
    ['a stream of it', { stream: true }, {}],
    ['steered elsewhere by a header', {}, { 'x-pandotate-strategy': 'cheapest' }],
  ])('is refused: %s', async ([, change, headers]) => {
    await using scene = await openScene(respond)
    await scene.ask({})
    const { status, text: body } = await scene.ask(change, { headers })
    expect(status).toBe(422)
    expect(JSON.parse(body)).toEqual({ error: refused })
    expect(scene.upstream.requests).toHaveLength(1)
    expect((await scene.ask({})).status).toBe(200)
  })

  test('is refused while the first is running, which continues', async () => {
    const rest = Promise.withResolvers<void>()
    await using scene = await openScene(async (...call) => {
      await rest.promise
      respond(...call)
    })
    const first = scene.ask({})
    await scene.upstream.arrival(1)
    expect((await scene.ask({ temperature: 1 })).status).toBe(422)
    rest.resolve()
    expect((await first).status).toBe(200)
  })

  test('is made when it is another tenant’s, or comes in another format', async () => {
    const keys = ['gateway-key-number-one', 'gateway-key-number-two']
    await using scene = await openScene(respond, { keys })
    const [one = '', two = ''] = keys.map((key) => `Bearer ${key}`)
    const asked = [
      await scene.ask({}, { headers: { authorization: one } }),
      await scene.ask({ temperature: 1 }, { headers: { authorization: two } }),
      await scene.ask({ prompt: 'x' }, { path: '/v1/completions', headers: { authorization: one } }),
    ]
    expect(asked.map(({ status }) => status)).toEqual([200, 200, 200])
    expect(scene.upstream.requests).toHaveLength(3)
    const again = await scene.ask({}, { headers: { authorization: one } })
    expect(again.text).toBe(asked[0]?.text)
    expect(scene.upstream.requests).toHaveLength(3)
  })

  test('is made for a caller with another credential of their own', async () => {
    await using scene = await openScene(respond)
    for (const bearer of ['theirs', 'mine']) {
      const headers = { authorization: `Bearer ${bearer}` }
      expect((await scene.ask({ user: bearer }, { headers })).status).toBe(200)
    }
    expect(scene.upstream.requests).toHaveLength(2)
  })
})

describe('a key', () => {
  test.for([
    ['that is empty', ''],
    ['of too many characters', 'k'.repeat(256)],
    ['beyond ASCII', 'clé'],
  ])('%s is refused', async ([, key]) => {
    await using scene = await openScene(respond)
    const [status, body] = await askRaw(scene.gateway, key ?? '')
    expect(status).toBe(400)
    expect(body).toMatchObject({
      error: {
        message: 'The header Idempotency-Key must be 1 to 255 characters of printable ASCII.',
        param: 'Idempotency-Key',
      },
    })
    expect(scene.upstream.requests).toHaveLength(0)
  })

  test('of as many characters as there may be is taken', async () => {
    await using scene = await openScene(respond)
    expect(await askRaw(scene.gateway, ` ${'~'.repeat(255)} `)).toMatchObject([200, {}])
  })

  test('is not used up by a call that is no call', async () => {
    await using scene = await openScene(respond)
    expect((await scene.ask({ messages: 5 })).status).toBe(400)
    expect((await scene.ask({})).status).toBe(200)
  })

  test('is ignored when it is switched off', async () => {
    const idempotency = { enabled: false, ttlMs: 1000, maxEntries: 1, maxBytes: 1 }
    await using scene = await openScene(respond, { idempotency })
    await scene.ask({})
    const { status, headers } = await scene.ask({ temperature: 1 })
    expect([status, headers.get('idempotent-replayed')]).toEqual([200, null])
    expect(scene.upstream.requests).toHaveLength(2)
  })

  test('that nobody sent keeps nothing', async () => {
    await using scene = await openScene(respond)
    for (let call = 0; call < 2; call++) await scene.ask({}, { key: undefined })
    expect(scene.upstream.requests).toHaveLength(2)
  })

  test('whose answer is too big to keep is free again, the answer whole', async () => {
    const idempotency = { enabled: true, ttlMs: 60_000, maxEntries: 10, maxBytes: 2000 }
    await using scene = await openScene(respond, { idempotency })
    const answers = [await scene.ask({ stream: true }), await scene.ask({ stream: true })]
    for (const { text: body } of answers) expect(body).toContain('data: [DONE]')
    expect(scene.upstream.requests).toHaveLength(2)
  })
})
