import { describe, expect, test } from 'vitest'
import { removeDirectory } from '../../harness/directory.ts'
import { type GatewayProcess, startGateway } from '../gateway-process.ts'
import { startHeldUpstream } from '../held-upstream.ts'

const endless = { model: 'sim-long-100000-drip-20', prompt: 'x', stream: true }

describe('SIGTERM', () => {
  test('ends a stream that takes too long with an error in it, and the process with 0', async () => {
    await using gateway = await startGateway({ file: simulated('drain: { graceMs: 200 }') })
    const stream = await ask(gateway, endless)
    const reading = stream.text()
    const { code } = await gateway.stop()
    expect(await reading).toMatch(/data: \{"error":\{[^\n]*"code":"gateway_draining"\}\}\n\n$/)
    expect(code).toBe(0)
    expect(gateway.log()).toContainEqual(
      expect.objectContaining({ msg: 'call', failure: expect.objectContaining({ kind: 'draining' }) }),
    )
  })

  test('refuses a call whose answer takes too long, and gives its upstream up', async () => {
    await using upstream = await startHeldUpstream()
    const environment = { PANDOTATE_URL: upstream.url, PANDOTATE_API_KEY: 'pk_x' }
    await using gateway = await startGateway({ file: 'drain: { graceMs: 200 }', environment })
    const asking = ask(gateway, { model: 'm', prompt: 'x' })
    await upstream.arrived(1)
    const stopping = gateway.stop()
    const response = await asking
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1'])
    await upstream.left(1)
    expect((await stopping).code).toBe(0)
  })

  test('shows at once that it is not ready, and serves until load balancers had the time to see it', async () => {
    await using gateway = await startPatient()
    expect((await fetch(`${gateway.url}/readyz`)).status).toBe(200)
    process.kill(gateway.pid, 'SIGTERM')
    await gateway.line(({ msg }) => msg === 'stopping')
    expect((await fetch(`${gateway.url}/readyz`)).status).toBe(503)
    const answer = await ask(gateway, { model: 'sim-slow-200-echo', prompt: 'still here' })
    expect(await answer.text()).toContain('still here')
    process.kill(gateway.pid, 'SIGTERM')
    expect((await gateway.ended).code).toBe(143)
  })

  test('a second time ends what is running at once, as the deadline would have', async () => {
    await using gateway = await startPatient()
    const stream = await ask(gateway, endless)
    process.kill(gateway.pid, 'SIGTERM')
    await gateway.line(({ msg }) => msg === 'stopping')
    const answer = await ask(gateway, { model: 'sim-slow-200-echo', prompt: 'x' })
    await answer.text()
    process.kill(gateway.pid, 'SIGTERM')
    expect(await stream.text()).toMatch(/"code":"gateway_draining"\}\}\n\n$/)
    const { code } = await gateway.ended
    expect(code).toBe(143)
    expect(gateway.log().map(({ msg }) => msg)).toEqual(
      expect.arrayContaining(['stopping', 'stopping at once', 'stopped']),
    )
  })

  test('that reaches it twice, once passed on by its parent, is one', async () => {
    await using gateway = await startGateway()
    const stream = await ask(gateway, { ...endless, model: 'sim-long-20-drip-20' })
    const stopping = gateway.stop()
    process.kill(gateway.pid, 'SIGTERM')
    expect(await stream.text()).toContain('[DONE]')
    expect((await stopping).code).toBe(0)
  })
})

test('SIGINT, from a console, does not wait for load balancers', async () => {
  await using gateway = await startPatient()
  process.kill(gateway.pid, 'SIGINT')
  expect((await gateway.ended).code).toBe(0)
})

/** One that is left to itself would end much later: disposed of, it is gone, with whatever code. */
async function startPatient(): Promise<GatewayProcess> {
  const gateway = await startGateway({ file: simulated('drain: { delayMs: 600000, graceMs: 1200000 }') })
  return {
    ...gateway,
    async [Symbol.asyncDispose]() {
      gateway.kill()
      await gateway.ended
      await removeDirectory(gateway.directory)
    },
  }
}

/** A gateway.yaml of these sections, all of whose models are simulated. */
function simulated(sections: string): string {
  return `models: { '*': { deployments: [{ provider: simulator }] } }\n${sections}\n`
}

function ask({ url }: GatewayProcess, body: object): Promise<Response> {
  return fetch(`${url}/v1/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
}
