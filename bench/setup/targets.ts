import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { Crew, Member } from './crew.ts'
import type { Placement } from './machine.ts'

/** How each server of the comparison is started; every call gives a fresh process. */
export function createTargets(parts: TargetParts): Targets {
  const { crew, placement, scratch, environment = {} } = parts

  return {
    async startUpstream() {
      const command = [script('upstream.ts')]
      const member = crew.start({
        name: 'the mock upstream',
        command,
        processor: placement.upstream,
        talks: true,
      })
      return { name: 'direct', routes: 'upstream', port: await askPort(member), member }
    },
    async startPassThrough(upstreamPort) {
      const command = [script('pass-through.ts'), String(upstreamPort)]
      const member = crew.start({
        name: 'the pass-through',
        command,
        processor: placement.proxy,
        talks: true,
      })
      return { name: 'pass-through', routes: 'upstream', port: await askPort(member), member }
    },
    async startGateway(upstreamPort) {
      if (parts.control) return { ...(await this.startPassThrough(upstreamPort)), name: 'gateway' }
      const port = await findFreePort()
      const config = join(scratch, 'gateway.yaml')
      writeFileSync(config, gatewayConfig(upstreamPort))
      const member = crew.start({
        name: 'the gateway',
        command: startCommand(),
        processor: placement.proxy,
        talks: false,
        environment: { PORT: String(port), LOG_LEVEL: 'info', GATEWAY_CONFIG: config, ...environment },
      })
      await waitUntilAlive(port)
      return { name: 'gateway', routes: 'gateway', port, member }
    },
  }
}

/** As `npm start` runs it, from anywhere. */
export function startCommand(): readonly string[] {
  const root = join(import.meta.dirname, '../..')
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest
  const [, , ...command] = scripts.start.split(' ')
  return command.map((word) => (word.endsWith('.js') ? join(root, word) : word))
}

type Manifest = { readonly scripts: { readonly start: string } }

export interface Targets {
  startUpstream(): Promise<Target>
  startPassThrough(upstreamPort: number): Promise<Target>
  startGateway(upstreamPort: number): Promise<Target>
}

export type TargetParts = {
  readonly crew: Crew
  readonly placement: Placement
  /** Where the configuration file goes, and where the gateway runs: no `.env` lies there. */
  readonly scratch: string
  /** Of the gateway alone. */
  readonly environment?: Readonly<Record<string, string>>
  /** A second pass-through takes the gateway's place: what it differs by is the error of the method. */
  readonly control: boolean
}

/** One of the three servers that requests are sent to. */
export type Target = {
  readonly name: TargetName
  /** Whose paths and bodies it takes. */
  readonly routes: 'upstream' | 'gateway'
  readonly port: number
  readonly member: Member
}

export type TargetName = 'direct' | 'pass-through' | 'gateway'

function script(name: string): string {
  return join(import.meta.dirname, '../upstream', name)
}

async function askPort(member: Member): Promise<number> {
  const told = await member.ask()
  if (typeof told !== 'object' || told === null || !('port' in told) || typeof told.port !== 'number') {
    throw new Error('a server did not tell its port')
  }
  return told.port
}

export async function findFreePort(): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>()
  const server = createServer().listen(0, '127.0.0.1', () => {
    const address = server.address()
    server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
  })
  return await promise
}

/** As a user would write it (JSON is YAML), but for room for as many open streams as the benchmark opens. */
export function gatewayConfig(upstreamPort: number): string {
  const origin = `http://127.0.0.1:${upstreamPort}`
  return JSON.stringify({
    providers: {
      pandotate: { url: `${origin}/api/inference`, apiKey: 'pk_bench' },
      upstream: { type: 'openai-compatible', baseUrl: `${origin}/v1`, apiKey: 'sk-bench', concurrency: 1024 },
    },
    models: {
      'pandotate-*': { deployments: [{ provider: 'pandotate' }] },
      '*': { deployments: [{ provider: 'upstream', price: { input: 0.1, output: 0.3 } }] },
    },
  })
}

export async function waitUntilAlive(port: number): Promise<void> {
  const deadline = performance.now() + aliveWithinMs
  while (performance.now() < deadline) {
    const answer = await fetch(`http://127.0.0.1:${port}/livez`).catch(() => undefined)
    await answer?.arrayBuffer()
    if (answer?.status === 200) return
    await wait(50)
  }
  throw new Error(`the gateway was not alive after ${aliveWithinMs} ms`)
}

const aliveWithinMs = 30_000
