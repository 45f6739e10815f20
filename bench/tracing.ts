import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { median, spreadOf } from './figures/statistics.ts'
import { runClosedLoop } from './load/closed-loop.ts'
import { type Crew, createCrew, type Member } from './setup/crew.ts'
import { describeMachine } from './setup/machine.ts'
import { cpuSeconds } from './setup/process-usage.ts'
import { postFor, smallChat } from './setup/scenarios.ts'
import { createTargets, findFreePort, gatewayConfig, startCommand, waitUntilAlive } from './setup/targets.ts'

/**
 * What traces cost: processor time of a gateway per call of 0.5 KB, without traces, with one percent of them and with
 * all, the three taking turns. `npm run bench:tracing -- 40` for so many rounds.
 */
async function main([rounds = '40']: readonly string[]): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), 'bench-tracing-'))
  const crew = createCrew(scratch)
  const collector = startCollector()
  try {
    const { placement } = describeMachine()
    const targets = createTargets({ crew, placement, scratch, control: false })
    const upstream = await targets.startUpstream()
    const config = join(scratch, 'gateway.yaml')
    // A busy machine is no reason to turn calls away here.
    const limits = { loopDelayMs: 60_000 }
    writeFileSync(config, JSON.stringify({ ...JSON.parse(gatewayConfig(upstream.port)), limits }))
    const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`
    const gateways = []
    for (const { name, environment } of variants) {
      const data = mkdtempSync(join(scratch, 'data-'))
      const on = environment === undefined ? {} : { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, ...environment }
      const started = await startGateway(crew, { GATEWAY_CONFIG: config, DATA_DIR: data, ...on })
      gateways.push({ name, ...started, costs: [] as number[] })
    }
    for (const { port } of gateways) await ask(port, warmUpCalls)
    for (let round = 0; round < Number(rounds); round++) {
      // Who goes first changes.
      const first = round % gateways.length
      const turn = [...gateways.slice(first), ...gateways.slice(0, first)]
      for (const gateway of turn) gateway.costs.push(await costOf(gateway))
    }
    const [off, ...others] = gateways
    console.log(`${rounds} rounds of ${roundCalls} calls; µs of processor time per call`)
    for (const { name, costs } of gateways) console.log(`${name.padEnd(12)} ${median(costs).toFixed(1)}`)
    for (const { name, costs } of others) {
      const {
        median: middle,
        lowerQuartile,
        upperQuartile,
      } = spreadOf(costs.map((cost, at) => cost / (off?.costs[at] ?? cost)))
      console.log(
        `${name.padEnd(12)} ${middle.toFixed(3)} of that without [${lowerQuartile.toFixed(3)}-${upperQuartile.toFixed(3)}]`,
      )
    }
  } finally {
    crew.dismiss()
    collector.close()
    collector.closeAllConnections()
    rmSync(scratch, { recursive: true, force: true })
  }
}

const variants: readonly {
  readonly name: string
  readonly environment?: Readonly<Record<string, string>>
}[] = [
  { name: 'off' },
  { name: 'off again' },
  { name: '1 %', environment: { OTEL_TRACES_SAMPLER_ARG: '0.01' } },
  { name: 'all', environment: { OTEL_BSP_MAX_QUEUE_SIZE: '65536' } },
]

const warmUpCalls = 4000
const roundCalls = 2000

/** It takes everything, and reads nothing. */
function startCollector() {
  return createServer((request, response) => {
    request.resume()
    request.on('end', () => response.writeHead(200).end())
  }).listen(0, '127.0.0.1')
}

async function startGateway(crew: Crew, environment: Readonly<Record<string, string>>) {
  const port = await findFreePort()
  const member = crew.start({
    name: 'the gateway',
    command: startCommand(),
    processor: undefined,
    talks: false,
    environment: { PORT: String(port), LOG_LEVEL: 'info', ...environment },
  })
  await waitUntilAlive(port)
  return { port, member }
}

async function costOf({ port, member }: { readonly port: number; readonly member: Member }): Promise<number> {
  const before = cpuSeconds(member.pid)
  const requests = await ask(port, roundCalls)
  return ((cpuSeconds(member.pid) - before) / requests) * 1e6
}

async function ask(port: number, mostRequests: number): Promise<number> {
  const post = postFor(smallChat, { routes: 'gateway' })
  const job = { kind: 'closed-loop', connections: 16, durationMs: 600_000, mostRequests } as const
  const { requests } = await runClosedLoop({ ...job, ask: { port, ...post } })
  return requests
}

await main(process.argv.slice(2))
