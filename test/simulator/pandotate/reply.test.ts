import { connect } from 'node:net'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { behaviours } from '../../../src/simulator/script/behaviours.ts'
import { answer, ask, type Outcome, open, someTurns, start, until } from '../harness.ts'

describe('every behaviour on a socket', () => {
  const cases: [string, string, Partial<Outcome>][] = [
    ['echo', 'sim-echo', { status: 200, body: answer('sim-echo', 'one two', 2, 2) }],
    ['long', 'sim-long-1', { status: 200, body: answer('sim-long-1', 'river', 2, 1) }],
    ['length', 'sim-length', { status: 200, body: expect.stringContaining('"completion_tokens":16}') }],
    ['slow', 'sim-slow-1-echo', { status: 200, body: answer('sim-slow-1-echo', 'one two', 2, 2) }],
    ['drip', 'sim-drip-1-echo', { status: 200, body: answer('sim-drip-1-echo', 'one two', 2, 2) }],
    [
      'status',
      'sim-status-503',
      {
        status: 503,
        body: '{"error":{"message":"Simulated status 503.","type":"server_error","param":null,"code":null}}',
      },
    ],
    [
      'ratelimit',
      'sim-ratelimit-7',
      {
        status: 429,
        headers: expect.objectContaining({ 'retry-after': '7' }),
        body: expect.stringContaining('"code":"rate_limit_exceeded"'),
      },
    ],
    ['flaky', 'sim-flaky-1', { status: 503, body: expect.stringContaining('Simulated failure 1 of 1.') }],
    [
      'cut',
      'sim-cut-1-echo',
      { status: 200, body: '{"model":"sim-cut-1-echo","output":"one', broken: 'ECONNRESET' },
    ],
    [
      'cut',
      'sim-cut-0-echo',
      { status: 200, body: '{"model":"sim-cut-0-echo","output":"', broken: 'ECONNRESET' },
    ],
    [
      'cut',
      'sim-cut-9-echo',
      { status: 200, body: '{"model":"sim-cut-9-echo","output":"one two', broken: 'ECONNRESET' },
    ],
    ['reset', 'sim-reset', { status: 0, body: '', broken: 'ECONNRESET' }],
    [
      'badjson',
      'sim-badjson',
      {
        status: 200,
        headers: expect.objectContaining({ 'content-type': 'application/json' }),
        body: expect.stringMatching(/^\{.*[^}]$/),
      },
    ],
    [
      'html',
      'sim-html',
      {
        status: 200,
        headers: expect.objectContaining({ 'content-type': 'text/html; charset=utf-8' }),
        body: expect.stringContaining('<!doctype html>'),
      },
    ],
    ['empty', 'sim-empty', { status: 200, body: '{}' }],
    ['nousage', 'sim-nousage-echo', { status: 200, body: '{"model":"sim-nousage-echo","output":"one two"}' }],
    [
      'usage-weird',
      'sim-usage-weird-echo',
      { status: 200, body: expect.stringContaining('"tokens":-7,"completion_tokens":1e+21}') },
    ],
    [
      'extra',
      'sim-extra-echo',
      {
        status: 200,
        body: '{"model":"sim-extra-echo","output":"one two","tokens":2,"completion_tokens":2,"region":"eu-sim-1","queue_ms":12}',
      },
    ],
    [
      'extra',
      'sim-extra-nousage-echo',
      { status: 200, body: expect.stringMatching(/"one two","region":.*12\}$/) },
    ],
    ['ragged', 'sim-ragged-echo', { status: 200, body: answer('sim-ragged-echo', 'one two', 2, 2) }],
    ['reasoning', 'sim-reasoning-echo', { status: 200, body: answer('sim-reasoning-echo', 'one two', 2, 2) }],
    ['tools', 'sim-tools-echo', { status: 200, body: answer('sim-tools-echo', 'one two', 2, 2) }],
  ]
  const unending = ['stall']

  test.for(cases)('%s: %s', async ([, model, expected]) => {
    await using pandotate = await start()
    const outcome = await ask(pandotate, { model, prompt: 'one two' })
    expect(outcome).toMatchObject({ broken: undefined, ...expected })
    expect(pandotate.abandoned()).toBe(0)
  })

  test('is in the table', () => {
    const tried = new Set([...cases.map(([behaviour]) => behaviour), ...unending])
    expect([...tried].sort()).toEqual(behaviours.map(({ name }) => name).sort())
  })

  test('a flaky model fails, answers, and fails again', async () => {
    await using pandotate = await start()
    const statuses: number[] = []
    for (let at = 0; at < 4; at++) {
      statuses.push((await ask(pandotate, { model: 'sim-flaky-1', prompt: 'hi' })).status)
    }
    expect(statuses).toEqual([503, 200, 503, 200])
  })

  test.for([
    ['sim-reset', 'ECONNRESET'],
    ['sim-cut-1', 'end'],
  ] as const)('%s ends its connection by %s', async ([model, ending]) => {
    await using pandotate = await start()
    const { hostname, port } = new URL(pandotate.url)
    const socket = connect(Number(port), hostname)
    const { promise, resolve } = Promise.withResolvers<string | undefined>()
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code))
    socket.on('end', () => resolve('end'))
    socket.resume()
    const body = JSON.stringify({ model, prompt: 'hi' })
    socket.write(`POST /api/inference HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n${body}`)
    expect(await promise).toBe(ending)
    socket.destroy()
  })

  test('an unknown one is a 404 that lists the known', async () => {
    await using pandotate = await start()
    const { status, body } = await ask(pandotate, { model: 'sim-foo', prompt: 'hi' })
    expect(status).toBe(404)
    expect(body).toContain('"code":"model_not_found"')
    expect(body).toContain('slow-MS')
  })
})

describe('time', () => {
  afterEach(() => {
    vi.useRealTimers()
  })

  test('a slow answer comes after its wait, headers and all', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    await using pandotate = await start()
    const visit = open(pandotate, { model: 'sim-slow-2000', prompt: 'hi' })
    await until(() => vi.getTimerCount() === 1)
    vi.advanceTimersByTime(1999)
    await someTurns()
    expect(visit.seen().status).toBe(0)
    vi.advanceTimersByTime(1)
    expect((await visit.outcome).status).toBe(200)
  })

  test('a dripping answer comes word by word', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    await using pandotate = await start()
    const visit = open(pandotate, { model: 'sim-drip-50-echo', prompt: 'one two' })
    await until(() => visit.seen().body.endsWith('"output":"one'))
    expect(visit.seen().status).toBe(200)
    vi.advanceTimersByTime(50)
    expect((await visit.outcome).body).toBe(answer('sim-drip-50-echo', 'one two', 2, 2))
  })

  test.for([
    ['sim-stall-0-echo', 0, ''],
    ['sim-stall-1-echo', 200, '{"model":"sim-stall-1-echo","output":"one'],
    ['sim-stall-9-echo', 200, '{"model":"sim-stall-9-echo","output":"one two'],
  ] as const)('%s falls silent with status %s and %j', async ([model, status, body]) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    await using pandotate = await start()
    const visit = open(pandotate, { model, prompt: 'one two' })
    await until(() => pandotate.requests.length === 1 && visit.seen().body === body)
    await someTurns()
    expect(visit.seen()).toMatchObject({ status, body })
    expect(vi.getTimerCount()).toBe(0)
    visit.leave()
    await until(() => pandotate.abandoned() === 1)
  })
})
