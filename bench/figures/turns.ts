import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runClosedLoop } from '../load/closed-loop.ts'
import { createCrew, type Member } from '../setup/crew.ts'
import { describeMachine } from '../setup/machine.ts'
import { cpuSeconds } from '../setup/process-usage.ts'
import { postFor, smallChat } from '../setup/scenarios.ts'
import { createTargets, findFreePort, gatewayConfig, startCommand, waitUntilAlive } from '../setup/targets.ts'
import { compareRounds, median } from './statistics.ts'

/** A gateway that is compared with others: what its configuration and its environment have beside the usual. */
export type Variant = {
  readonly name: string
  readonly config?: Readonly<Record<string, unknown>>
  readonly environment?: Readonly<Record<string, string>>
}

export type Turns = {
  readonly rounds: number
  readonly variants: readonly [Variant, ...Variant[]]
  /** The pass-through of the benchmark goes first. */
  readonly hasPassThrough?: boolean
}

/**
 * Prints the processor time of a call of 0.5 KB at each variant, all threads of the process together, and its ratio to
 * the first, which is the median of the ratios within rounds. All run at the same time and take turns, so that a busy
 * machine is busy for each.
 */
export async function measureInTurn({ rounds, variants, hasPassThrough = false }: Turns): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), 'bench-turns-'))
  const crew = createCrew(scratch)
  try {
    const { placement } = describeMachine()
    const targets = createTargets({ crew, placement, scratch, control: false })
    const upstream = await targets.startUpstream()
    const compared: Compared[] = []
    if (hasPassThrough) {
      const { port, member } = await targets.startPassThrough(upstream.port)
      compared.push({ name: 'pass-through', port, member, micros: [] })
    }
    for (const [at, { name, config = {}, environment = {} }] of variants.entries()) {
      const place = join(scratch, `gateway-${at}`)
      mkdirSync(place)
      const file = join(place, 'gateway.yaml')
      // A busy machine is no reason to turn calls away here.
      const usual = { ...JSON.parse(gatewayConfig(upstream.port)), limits: { loopDelayMs: 60_000 } }
      writeFileSync(file, JSON.stringify({ ...usual, ...config }))
      const port = await findFreePort()
      const member = crew.start({
        name: `the gateway ${name}`,
        command: startCommand(),
        processor: undefined,
        talks: false,
        environment: {
          ...{ PORT: String(port), LOG_LEVEL: 'info', GATEWAY_CONFIG: file, DATA_DIR: join(place, 'data') },
          ...environment,
        },
      })
      await Promise.race([waitUntilAlive(port), crew.lost])
      compared.push({ name, port, member, micros: [] })
    }
    for (const { port } of compared) await ask(port, warmUpCalls)
    for (let round = 0; round < rounds; round++) {
      // Who goes first changes.
      const first = round % compared.length
      for (const one of [...compared.slice(first), ...compared.slice(0, first)]) await costOf(one)
    }
    tell(compared, rounds)
  } finally {
    crew.dismiss()
    rmSync(scratch, { recursive: true, force: true })
  }
}

type Compared = {
  readonly name: string
  readonly port: number
  readonly member: Member
  /** Per call, in round order. */
  readonly micros: number[]
}

const warmUpCalls = 8000
const roundCalls = 2000

async function costOf({ port, member, micros }: Compared): Promise<void> {
  const before = cpuSeconds(member.pid)
  const requests = await ask(port, roundCalls)
  micros.push(((cpuSeconds(member.pid) - before) / requests) * 1e6)
}

async function ask(port: number, mostRequests: number): Promise<number> {
  const post = postFor(smallChat, { routes: 'gateway' })
  const job = { kind: 'closed-loop', connections: 16, durationMs: 600_000, mostRequests } as const
  const { requests } = await runClosedLoop({ ...job, ask: { port, ...post } })
  return requests
}

function tell(compared: readonly Compared[], rounds: number): void {
  const [first] = compared
  if (first === undefined) return
  console.log(
    `${rounds} rounds of ${roundCalls} calls of 0.5 KB; µs of processor time a call, and its ratio to`,
  )
  console.log(`${first.name}, with the quartiles over the rounds\n`)
  for (const { name, micros } of compared) {
    const ratio = compareRounds(micros, first.micros, (own, other) => own / other)
    const spread = [ratio.lowerQuartile, ratio.upperQuartile].map((one) => one.toFixed(2)).join('-')
    console.log(
      `${name.padEnd(34)} ${median(micros).toFixed(1).padStart(7)}  ${ratio.median.toFixed(2)} [${spread}]`,
    )
  }
}
