import { describe, expect, test } from 'vitest'
import { inTest } from '../../../harness/gateway.ts'
import { answer, chunk, streamHead } from '../../../harness/raw-server.ts'
import { deltaFrame, leave, openScene, respond } from './keyed-answer-harness.ts'

describe('a call that failed', () => {
  test('by the upstream’s word on it gets the same word again', async () => {
    const word = { error: { message: 'Too odd.', type: 'invalid_request_error', param: 'x', code: 'odd' } }
    await using scene = await openScene((socket) =>
      socket.write(answer(JSON.stringify(word), { status: 400 })),
    )
    const [first, second] = [await scene.ask({}), await scene.ask({})]
    expect([first.status, second.status]).toEqual([400, 400])
    expect(second.text).toBe(first.text)
    expect(second.headers.get('idempotent-replayed')).toBe('true')
    expect(scene.upstream.requests).toHaveLength(1)
    expect(await scene.gateway.recorded(2)).toMatchObject({
      outcome: 'failed',
      status: 400,
      cache: 'replay',
      costNanoUsd: 0,
      failure: { kind: 'rejected' },
    })
  })

  test.for([429, 500, 503])('otherwise is made again: %d', async (status) => {
    let isWell = false
    await using scene = await openScene((socket, request) => {
      if (isWell) respond(socket, request)
      else socket.write(answer('{}', { status }))
    })
    expect((await scene.ask({})).status).toBeGreaterThanOrEqual(429)
    isWell = true
    const second = await scene.ask({})
    expect([second.status, second.headers.get('idempotent-replayed')]).toEqual([200, null])
  })

  test('before it began, its headers out to keep the connection, says so in the stream', async () => {
    const refusal = Promise.withResolvers<void>()
    await using scene = await openScene(
      async (socket) => {
        await refusal.promise
        socket.write(answer('{}', { status: 500 }))
      },
      {},
      { keepaliveMs: 5 },
    )
    const opened = [scene.open({ stream: true }), scene.open({ stream: true })]
    const responses = await Promise.all(opened)
    refusal.resolve()
    for (const response of responses) {
      expect(response.status).toBe(200)
      expect((await response.text()).split('"code":"upstream_error"')).toHaveLength(2)
    }
    const replayed = responses.map(({ headers }) => headers.get('idempotent-replayed'))
    expect(replayed.toSorted()).toEqual([null, 'true'].toSorted())
    expect(scene.upstream.requests).toHaveLength(1)
  })

  test('half-way says so to all who follow, once, and is made again', async () => {
    const broken = Promise.withResolvers<void>()
    let hits = 0
    await using scene = await openScene(async (socket, request) => {
      if (++hits > 1) {
        respond(socket, request)
        return
      }
      socket.write(streamHead() + chunk(deltaFrame('one')))
      await broken.promise
      socket.destroy()
    })
    const opened = [await scene.open({ stream: true }), await scene.open({ stream: true })]
    broken.resolve()
    const texts = await Promise.all(opened.map((response) => response.text()))
    expect(texts[1]).toBe(texts[0])
    expect(texts[0]?.split('"error"')).toHaveLength(2)
    expect(texts[0]).not.toContain('[DONE]')
    await scene.gateway.recorded(2)
    for (const record of scene.gateway.records) expect(record.failure?.kind).toBe('interrupted')
    expect((await scene.ask({ stream: true })).text).toContain('[DONE]')
  })
})

describe('while the gateway changes', () => {
  test('a key holds beyond a reload, and so does work that continues alone', async () => {
    const rest = Promise.withResolvers<void>()
    await using scene = await openScene(async (...call) => {
      await rest.promise
      respond(...call)
    })
    await leave(scene, {})
    scene.gateway.gateway.reload(() => inTest({ ...scene.config, slowThresholdMs: 59_000 }))
    const again = scene.ask({})
    rest.resolve()
    expect((await again).text).toContain('one two')
    expect((await scene.ask({})).headers.get('idempotent-replayed')).toBe('true')
    expect(scene.upstream.requests).toHaveLength(1)
  })

  test('work that continues alone ends with the gateway, and is recorded', async () => {
    await using scene = await openScene(() => undefined)
    await leave(scene, {})
    await scene.gateway.gateway.stop({ delayMs: 0, graceMs: 0 })
    expect(scene.gateway.records).toMatchObject([{ outcome: 'left', attempts: [{ outcome: 'draining' }] }])
    await scene.upstream.idle()
  })
})
