import { strict as assert } from 'node:assert'
import { randomUUID } from 'node:crypto'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type GatewayProcess, startGateway } from '../acceptance/gateway-process.ts'
import { type Balancer, startBalancer } from '../harness/balancer.ts'
import { removeDirectory } from '../harness/directory.ts'
import { readAdmin, until } from './ledger-harness.ts'
import { type BillingUpstream, billingPrice, startBillingUpstream } from './upstream/billing-upstream.ts'

/** Several gateways that share a Redis, behind a balancer, before an upstream that bills. */
export type Fleet = AsyncDisposable & {
  readonly nodes: readonly GatewayProcess[]
  readonly balancer: Balancer
  readonly upstream: BillingUpstream
  /** How the shared engine is doing, as each living node tells. */
  shared(): Promise<readonly SharedBody[]>
  /** What is left of a node that was killed is not looked for any more. */
  lose(node: GatewayProcess): Promise<void>
}

export type SharedBody = {
  readonly status: string
  readonly nodes: number
  readonly leased_usd: string
  readonly untold: number
}

export type FleetOptions = {
  readonly redisUrl: string
  readonly databaseUrl?: string
  readonly limitUsd?: string
  readonly keys?: readonly Readonly<Record<string, unknown>>[]
  readonly shared?: Readonly<Record<string, unknown>>
  /** How many gateways, and of how many worker processes each; 3 of one process. */
  readonly nodes?: number
  readonly workers?: number
  /** Beside the one that bills, the one model, and its upstream. */
  readonly held?: { readonly baseUrl: string; readonly concurrency: number }
}

export async function startFleet(options: FleetOptions): Promise<Fleet> {
  const upstream = await startBillingUpstream()
  const root = await mkdtemp(join(tmpdir(), 'fleet-'))
  const { redisUrl, databaseUrl, shared = {}, nodes: count = 3, workers } = options
  const file = JSON.stringify({
    ...configBefore(upstream, options),
    shared: { goneAfterMs: 2000, redis: { timeoutMs: 1000 }, ...shared },
  })
  const start = async () =>
    await startGateway({
      directory: await mkdtemp(join(root, 'node-')),
      file,
      environment: {
        ...{ ADMIN_KEY: adminKey, DATA_DIR: 'data', REDIS_URL: redisUrl },
        ...(databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl }),
        ...(workers === undefined ? {} : { WORKERS: String(workers) }),
      },
    })
  const nodes = await Promise.all(Array.from({ length: count }, start))
  const living = new Set(nodes)
  const balancer = await startBalancer(nodes.map(({ url }) => url))
  const sharedOf = async ({ url }: GatewayProcess) =>
    ((await (await fetch(`${url}/health`)).json()) as { shared: SharedBody }).shared
  const fleet = {
    ...{ nodes, balancer, upstream },
    shared: () => Promise.all(Array.from(living, sharedOf)),
    async lose(node: GatewayProcess) {
      node.kill()
      await node.ended
      living.delete(node)
    },
    async [Symbol.asyncDispose]() {
      await balancer[Symbol.asyncDispose]()
      for (const node of living) await node[Symbol.asyncDispose]()
      await upstream[Symbol.asyncDispose]()
      await removeDirectory(root)
    },
  }
  await until('all nodes see each other', async () =>
    (await fleet.shared()).every(({ nodes }) => nodes === count),
  )
  return fleet
}

/** Of gateway.yaml: one model, at that upstream, and a budget for all. */
export function configBefore(
  upstream: BillingUpstream,
  { limitUsd = '1000', keys = [], held }: Pick<FleetOptions, 'limitUsd' | 'keys' | 'held'> = {},
): object {
  const apiKey = 'sk-upstream-key'
  const ofHeld = held && { held: { ...held, type: 'openai-compatible', apiKey } }
  return {
    auth: { keys: [callersKey, ...keys] },
    providers: {
      upstream: { type: 'openai-compatible', baseUrl: upstream.baseUrl, apiKey, clocks: patient },
      ...ofHeld,
    },
    models: {
      m: { deployments: [{ provider: 'upstream', price: billingPrice }] },
      ...(held && { held: { deployments: [{ provider: 'held', price: billingPrice }] } }),
    },
    budgets: { gateway: [{ limitUsd, window: 'total' }] },
    // What the held upstream gets is calls alone.
    ...(held && { catalog: { lists: false } }),
  }
}

/** Only what hangs takes so long: what a busy machine delays is not given up, and so not uncertain. */
const patient = { connectMs: 120_000, firstTokenMs: 600_000, idleMs: 600_000, totalMs: 600_000 }

export const callersKey = 'a-key-for-callers-of-chaos'
export const adminKey = 'a-key-for-operators-of-chaos'

export type Answer = { readonly status: number; readonly code: string | undefined; readonly retries: boolean }

/** Undefined: the connection was lost. */
export async function askFleet(url: string, asked: Asked = {}): Promise<Answer | undefined> {
  return await askOnce(url, asked).catch(() => undefined)
}

type Asked = {
  readonly key?: string
  readonly model?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** Rejects with the reason if the connection is lost. */
export async function askOnce(
  url: string,
  { key = callersKey, model = 'm', headers = {} }: Asked = {},
): Promise<Answer> {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}`, ...headers },
    body: JSON.stringify({ model, max_tokens: 20, messages: [{ role: 'user', content: 'Hello' }] }),
  })
  // The balancer says so of a gateway that has cut a connection, with no body.
  if (response.status === 502) throw new Error('The balancer got no answer.')
  const body = (await response.json()) as { error?: { code?: string } }
  const retries = response.headers.get('x-should-retry') !== 'false'
  return { status: response.status, code: body.error?.code, retries }
}

/** An `Idempotency-Key` of its own for each call. */
export const ownKeys = () => ({ 'idempotency-key': randomUUID() })

/** Callers that ask repeatedly until they are to stop, or a budget is used up. */
export function callFleet(
  url: string,
  count: number,
  headersOf: () => Readonly<Record<string, string>> = () => ({}),
) {
  const seen: Answer[] = []
  const lost: string[] = []
  let isOver = false
  const running = Array.from({ length: count }, async () => {
    while (!isOver) {
      const answer = await askOnce(url, { headers: headersOf() }).catch(
        (thrown: unknown) => void lost.push(causeOf(thrown)),
      )
      if (answer !== undefined) seen.push(answer)
      if (answer?.code === 'insufficient_quota') return
      if (answer?.status !== 200) await new Promise((resolve) => setTimeout(resolve, 20))
    }
  })
  const ended = Promise.all(running)
  return {
    seen,
    answered: () => seen.filter(({ status }) => status === 200).length,
    /** Why each call was lost that got no answer. */
    lost: () => lost,
    /** When the budget is used up. */
    ended: async () => void (await ended),
    async stop() {
      isOver = true
      await ended
    },
  }
}

function causeOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown)
  return thrown.cause instanceof Error ? `${thrown.message}: ${thrown.cause.message}` : thrown.message
}

export type Money = {
  readonly spent_nano_usd: number
  readonly uncertain_nano_usd: number
  readonly held_nano_usd: number
  readonly limit_nano_usd: number
}

export async function moneyOf({ url }: Pick<GatewayProcess, 'url'>): Promise<Money> {
  const [budget] = (await readAdmin<{ data: readonly Money[] }>(url, '/admin/api/budgets')).data
  assert(budget !== undefined, 'there is no budget')
  return budget
}

/** Once nothing is held, what is spent is what was billed, but for what is uncertain. */
export async function agreeWithBill(
  node: Pick<GatewayProcess, 'url'>,
  upstream: BillingUpstream,
): Promise<void> {
  await until('nothing is held', async () => (await moneyOf(node)).held_nano_usd === 0)
  const { spent_nano_usd: spent, uncertain_nano_usd: uncertain } = await moneyOf(node)
  const billed = upstream.billedNanoUsd()
  assert(spent <= billed, `spent ${spent}, billed ${billed}`)
  assert(billed <= spent + uncertain, `billed ${billed}, spent ${spent}, uncertain ${uncertain}`)
}
