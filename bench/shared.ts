import { mkdtemp, rm } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { GatewayProcess } from '../test/acceptance/gateway-process.ts'
import { startBillingUpstream } from '../test/chaos/upstream/billing-upstream.ts'
import { noRedis, startRedis } from '../test/harness/redis-server.ts'
import { adminKey, boundKey, plainKey, startBoundedGateway } from './setup/bounded-gateway.ts'

/**
 * What sharing costs a call: two gateways before one upstream, with Redis on loopback and without, asked in turn by a
 * key with a budget and limits and by one without. Prints medians, and the gateway's processor time for each call.
 */
async function main(words: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...words],
    options: { rounds: { type: 'string', default: '10' }, calls: { type: 'string', default: '400' } },
  })
  if (noRedis !== undefined) {
    console.error(noRedis)
    return 1
  }
  const directory = await mkdtemp(join(tmpdir(), 'shared-'))
  await using redis = await startRedis()
  await using upstream = await startBillingUpstream()
  await using alone = await startBoundedGateway(upstream.baseUrl, join(directory, 'alone'), {})
  await using shared = await startBoundedGateway(upstream.baseUrl, join(directory, 'shared'), {
    REDIS_URL: redis.url,
  })
  const places = ([alone, shared] as const).flatMap((gateway, at) =>
    ([plainKey, boundKey] as const).map((key) => ({
      name: `${at === 0 ? 'in memory' : 'over Redis'}, ${key === plainKey ? 'a key without bounds' : 'a key with bounds'}`,
      ...{ gateway, key, times: [] as number[], cpuUs: [] as number[] },
    })),
  )
  const calls = Number(values.calls)
  for (const place of places) await measure(place.gateway, place.key, calls)
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const place of places) {
      const { times, cpuUs } = await measure(place.gateway, place.key, calls)
      place.times.push(...times)
      place.cpuUs.push(cpuUs)
    }
  }
  console.log(`${'what'.padEnd(40)} median ms  p99 ms  processor time, us a call (median of rounds)`)
  for (const { name, times, cpuUs } of places) {
    const figures = [quantile(times, 0.5).toFixed(3), quantile(times, 0.99).toFixed(2)]
    console.log(`${name.padEnd(40)} ${figures.join('      ')}    ${quantile(cpuUs, 0.5).toFixed(0)}`)
  }
  await rm(directory, { recursive: true, force: true })
  return 0
}

async function measure(gateway: GatewayProcess, key: string, calls: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const before = await cpuSeconds(gateway)
  const times: number[] = []
  for (let call = 0; call < calls; call++) {
    const began = performance.now()
    await ask(gateway.url, key, agent)
    times.push(performance.now() - began)
  }
  agent.destroy()
  return { times, cpuUs: (((await cpuSeconds(gateway)) - before) * 1e6) / calls }
}

function ask(url: string, key: string, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` }
    const sent = request(`${url}/v1/chat/completions`, { method: 'POST', headers, agent }, (answer) => {
      answer.resume()
      answer.on('end', () =>
        answer.statusCode === 200 ? resolve() : reject(new Error(`${answer.statusCode}`)),
      )
    })
    sent.on('error', reject)
    sent.end(JSON.stringify({ model: 'm', max_tokens: 20, messages: [{ role: 'user', content: 'Hello' }] }))
  })
}

async function cpuSeconds({ url }: GatewayProcess): Promise<number> {
  const headers = { authorization: `Bearer ${adminKey}` }
  const text = await (await fetch(`${url}/metrics`, { headers })).text()
  return Number(/^process_cpu_seconds_total (\S+)$/m.exec(text)?.[1])
}

function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((one, other) => one - other)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
}

process.exitCode = await main(process.argv.slice(2))
