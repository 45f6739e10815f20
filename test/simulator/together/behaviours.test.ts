import { once } from 'node:events'
import { connect } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { describe, expect, test, vi } from 'vitest'
import { behaviours } from '../../../src/simulator/script/behaviours.ts'
import { until } from '../harness.ts'
import { ask, chat, messages, open, start } from './harness.ts'

describe('every behaviour', () => {
  const cases: readonly (readonly [string, string, string | RegExp, string?])[] = [
    ['echo', 'sim-echo', '"content":" two"'],
    ['long', 'sim-long-1', '"content":"river"'],
    ['length', 'sim-length', '"finish_reason":"length"'],
    ['slow', 'sim-slow-1-echo', '"content":" two"'],
    ['drip', 'sim-drip-1-echo', '"content":" two"'],
    ['status', 'sim-status-418', 'Simulated status 418.'],
    ['ratelimit', 'sim-ratelimit-7', '"type":"rate_limit"'],
    ['flaky', 'sim-flaky-1', '"type":"service_unavailable"'],
    ['cut', 'sim-cut-1-echo', /"content":"one".*\n\n$/, 'ECONNRESET'],
    ['reset', 'sim-reset', '', 'ECONNRESET'],
    ['badjson', 'sim-badjson', /^\{.*[^}]$/],
    ['html', 'sim-html', '<!doctype html>'],
    ['empty', 'sim-empty', '{}'],
    ['nousage', 'sim-nousage-echo', /^(?:(?!prompt_tokens)(?:.|\n))*\[DONE\]/],
    ['usage-weird', 'sim-usage-weird-echo', '"prompt_tokens":-7'],
    ['extra', 'sim-extra-echo', '"region":"eu-sim-1"'],
    ['reasoning', 'sim-reasoning-echo', '"reasoning":"Somebody"'],
    ['tools', 'sim-tools-echo', '"content":" two"'],
    ['ragged', 'sim-ragged-echo', /^(: .*\r\n\r\ndata: .*\r\n\r\n)+: .*\r\n\r\ndata: \[DONE\]\r\n$/],
  ]

  test.for(cases)('%s in a stream: %s', async ([, model, told, broken]) => {
    await using server = await start()
    const outcome = await ask(server, chat, { model, messages, stream: true })
    expect(outcome.broken).toBe(broken)
    expect(outcome.body).toEqual(
      typeof told === 'string' ? expect.stringContaining(told) : expect.stringMatching(told),
    )
    expect(server.abandoned()).toBe(0)
  })

  test('is tried', () => {
    const tried = new Set([...cases.map(([name]) => name), 'stall'])
    expect([...tried].sort()).toEqual(behaviours.map(({ name }) => name).sort())
  })
})

describe('a client that leaves', () => {
  test.for([
    ['sim-slow-600000', 1, []],
    ['sim-stall-0', 0, []],
    ['sim-drip-600000', 1, [1]],
    ['sim-stall-3', 0, [3]],
  ] as const)(
    '%s is counted, charged what was generated, and its timer cleared',
    async ([model, timers, tokens]) => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
      try {
        await using server = await start()
        const visit = open(server, chat, { model, messages, stream: true })
        await until(() => server.requests.length === 1)
        expect(vi.getTimerCount()).toBe(timers)
        visit.leave()
        await until(() => server.abandoned() === 1)
        expect(vi.getTimerCount()).toBe(0)
        expect(server.bill().map(({ completionTokens }) => completionTokens)).toEqual(tokens)
      } finally {
        vi.useRealTimers()
      }
    },
  )

  test('without having read is waited for, and not charged what it left no room for', async () => {
    await using server = await start()
    const { hostname, port } = new URL(server.origin)
    const socket = connect(Number(port), hostname)
    const body = JSON.stringify({ model: 'sim-long-100000', messages, stream: true })
    socket.write(`POST ${chat} HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n${body}`)
    await once(socket, 'readable')
    // Enough to write it all, were nobody waited for.
    for (let turn = 0; turn < 4000; turn++) await setImmediate()
    socket.destroy()
    await until(() => server.bill().length === 1)
    expect(server.abandoned()).toBe(1)
    expect(server.bill()[0]?.completionTokens).toBeLessThan(50_000)
  })
})
