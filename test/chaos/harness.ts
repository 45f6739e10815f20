import { strict as assert } from 'node:assert'
import { createHash } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import type { JsonObject } from '../../src/core/model/json/json.ts'
import type { Kind } from '../../src/core/model/terms.ts'
import { type Asked, type Caller, call, type Heard } from './caller.ts'
import { type ChaosGateway, startChaosGateway } from './gateway.ts'
import { diceOf, mixedFaults } from './mixes.ts'
import { openPlaces, type Places } from './places.ts'
import { type Reconciled, reconcile } from './reconcile.ts'
import { adminKey, gatewayKey, promptCanary, secrets, upstreamKey } from './secrets.ts'
import { answerCanary, answerWords } from './upstream/answer.ts'
import { encodings } from './upstream/encodings.ts'
import { type FaultUpstream, startFaultUpstream } from './upstream/fault-upstream.ts'
import { refusals } from './upstream/refusals.ts'
import { streamFaults, wordsBefore } from './upstream/stream-faults.ts'
import { wholeFaults } from './upstream/whole-faults.ts'

/** One fault upstream, a gateway in front of it, and callers. */
export type Stage = AsyncDisposable & {
  /** The long form: as many and as long as it takes to be sure. In the tests, as few as it takes to notice. */
  readonly isLong: boolean
  /** How long a soak lasts in the long form, and what it draws from. */
  readonly soakMs: number
  readonly seed: number
  readonly upstream: FaultUpstream
  readonly gateway: ChaosGateway
  readonly places: Places
  ask(asking: Asking): Promise<Heard>
  call(asking: Asking): Caller
  /** The state of a deployment, as the operator's page tells it. */
  deployment(id: string): Promise<DeploymentState>
  /** What a metric without labels says. */
  metric(name: string): Promise<number>
  /** Has the gateway continue with these routes and settings. */
  reload(routes: Routes, settings?: Settings): Promise<void>
  /** Keeps a sentence for the page of the documentation. */
  note(sentence: string): void
  readonly notes: readonly string[]
  /** Sees that what was printed holds no secret. */
  keepsSecrets(): void
  /**
   * Waits until all is quiet, and sees that nothing is left behind: the process is alive, its descriptors and the
   * upstream's connections are back to what they were, no secret was printed, and the bill of what happened since
   * the last rest agrees with the records.
   */
  rest(): Promise<Reconciled>
}

export type Asking = {
  readonly model: string
  readonly kind?: Kind
  readonly stream?: boolean
  /** Beside the prompt. */
  readonly body?: JsonObject
  readonly headers?: Readonly<Record<string, string>>
  readonly isDeaf?: boolean
}

export type DeploymentState = { readonly breaker: string; readonly failed: number; readonly limited: number }

/** A deployment of a model, and how it misbehaves. */
export type Link = {
  /** The fault, or several for its requests in turn: `reset,whole`. */
  readonly says: string
  /** Where it is; by default at the upstream that answers. Each has a provider of its own there. */
  readonly at?: string
  /** In place of its own, the provider that all links with this word have together. */
  readonly shares?: string
  /** What its name has beside: the family of the model. */
  readonly family?: string
  readonly clocks?: Readonly<Partial<Record<'connectMs' | 'firstTokenMs' | 'idleMs' | 'totalMs', number>>>
  readonly retries?: number
  readonly more?: JsonObject
}

/** Models by the name a caller asks for, each with its deployments in order. */
export type Routes = Readonly<Record<string, readonly Link[]>>

const faults = new Map(Object.entries({ ...wholeFaults, ...refusals, ...streamFaults, ...encodings }))

/** The model a deployment asks its upstream for: the fault, and what tells it from all others. */
export function upstreamModel(model: string, position: number, { says, family = '' }: Link): string {
  return `${says}/${model}.${position}${family}`
}

/** The id of that deployment. */
export function deploymentId(model: string, position: number, link: Link): string {
  return `${upstreamModel(model, position, link)}@${providerName(model, position, link)}`
}

export type StageOptions = {
  readonly settings?: Settings
  readonly isLong?: boolean
  readonly soakMs?: number
  readonly seed?: number
}

/** Sections of gateway.yaml. */
export type Settings = JsonObject & { readonly limits?: JsonObject }

/** Opens a stage for these routes. `settings` are the rest of gateway.yaml. */
export async function openStage(routes: Routes, options: StageOptions = {}): Promise<Stage> {
  const { settings = {}, isLong = false, soakMs = 0, seed = 1 } = options
  await using opened = new AsyncDisposableStack()
  const upstream = opened.use(
    await startFaultUpstream(new Map([...faults, ...mixedFaults(faults, diceOf(seed))])),
  )
  const places = opened.use(await openPlaces(upstream))
  const gateway = opened.use(await startChaosGateway(fileOf(routes, settings, places)))
  const stage = createStage({ upstream, gateway, places, isLong, soakMs, seed })
  await stage.warm()
  const kept = opened.move()
  return { ...stage, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

/** The text of gateway.yaml. */
function fileOf(routes: Routes, { limits = {}, ...settings }: Settings, places: Places): string {
  return JSON.stringify({
    auth: { keys: [gatewayKey], adminKeys: [{ key: adminKey, role: 'read' }] },
    limits: { ...usualLimits, ...limits },
    ...sectionsOf({ ...routes, [warmUp]: [{ says: 'whole' }] }, places),
    ...settings,
  })
}

/** On a busy machine the event loop may well be late: that is no fault of the suite's. */
const usualLimits = { bodyBytes: 1024 * 1024, deadlineMs: 20_000, loopDelayMs: 60_000 }

const warmUp = 'warm-up'

/**
 * A provider for each link of each model: what one case does to an upstream's health, and to what may be spent on
 * trying it again, must not affect the others.
 */
function sectionsOf(routes: Routes, { addresses }: Places): JsonObject {
  const providers: Record<string, JsonObject> = {}
  const models: Record<string, JsonObject> = {}
  for (const [model, links] of Object.entries(routes)) {
    const deployments = links.map((link, position) => {
      const name = providerName(model, position, link)
      const place = addresses[link.at ?? 'sound']
      assert(place !== undefined, `there is no place called ${link.at}`)
      const { baseUrl, more = {} } = place
      providers[name] = { type: 'openai-compatible', baseUrl, apiKey: upstreamKey, retryDelayMs: 1, ...more }
      return { provider: name, ...deploymentOf(model, link, position) }
    })
    models[model] = { deployments }
  }
  // Faults break calls only: no lists are requested between them.
  return { catalog: { lists: false }, providers, models }
}

/** Models have longer names than providers may have. */
function providerName(model: string, position: number, { shares }: Link): string {
  if (shares !== undefined) return shares
  const digest = createHash('sha256').update(model).digest('hex').slice(0, 12)
  return `${model.split('.')[0]}-${digest}-${position}`
}

function deploymentOf(model: string, link: Link, position: number): JsonObject {
  const { clocks = {}, retries, more = {} } = link
  return {
    ...{ model: upstreamModel(model, position, link), clocks },
    ...(retries === undefined ? {} : { retries }),
    price: { input: '0.30', output: '0.90' },
    ...more,
  }
}

const pollMs = 5

type StageParts = Pick<Stage, 'upstream' | 'gateway' | 'places' | 'isLong' | 'soakMs' | 'seed'>

function createStage(parts: StageParts) {
  const { upstream, gateway, places } = parts
  const notes: string[] = []
  let baseline = Number.POSITIVE_INFINITY
  const asked = ({
    model,
    kind = 'text',
    stream = false,
    body = {},
    headers = {},
    isDeaf,
  }: Asking): Asked => ({
    url: gateway.url,
    path: kind === 'text' ? '/v1/completions' : '/v1/chat/completions',
    body: { model, max_tokens: 64, ...promptOf(kind), ...streaming(stream), ...body },
    headers: { authorization: `Bearer ${gatewayKey}`, ...headers },
    lastWord: answerWords[wordsBefore - 1] ?? '',
    heardIt: upstream.heard,
    ...(isDeaf === undefined ? {} : { isDeaf }),
  })
  const look = async (path: string) => {
    const headers = { authorization: `Bearer ${adminKey}`, connection: 'close' }
    const response = await fetch(gateway.url + path, { headers })
    return await response.text()
  }
  const metric = async (name: string) => {
    const text = await look('/metrics')
    for (const secret of [...secrets, promptCanary, answerCanary]) {
      assert(!text.includes(secret), `${secret} is in the metrics`)
    }
    return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1])
  }
  const keepsSecrets = () => {
    const printed = gateway.printed()
    for (const secret of [...secrets, promptCanary, answerCanary]) {
      assert(!printed.includes(secret), `${secret} was printed`)
    }
  }
  const quiet = async () => {
    while ((await metric('pandotate_calls_in_flight')) > 0) await setTimeout(pollMs)
    // Rows go out at the end of the turn in which their calls end: what is told after is told after them.
    await gateway.order({ order: 'tell' })
    await upstream.until(() => upstream.busy === 0)
    upstream.closeIdle()
    await upstream.until(() => upstream.connections === 0)
    await gateway.settled(baseline)
  }
  return {
    ...parts,
    notes,
    note: (sentence: string) => void notes.push(sentence),
    ask: (asking: Asking) => call(asked(asking)).answer,
    call: (asking: Asking) => call(asked(asking)),
    async deployment(id: string) {
      const { data } = JSON.parse(await look('/admin/api/deployments')) as {
        data: (DeploymentState & { id: string })[]
      }
      const found = data.find((one) => one.id === id)
      assert(found !== undefined, `no deployment is called ${id}`)
      return found
    },
    metric,
    reload: (routes: Routes, settings: Settings = {}) => gateway.reload(fileOf(routes, settings, places)),
    keepsSecrets,
    async rest() {
      await quiet()
      assert(gateway.isAlive, 'the gateway has ended')
      keepsSecrets()
      const reconciled = reconcile(gateway.rows.values(), upstream.takeBill())
      assert.deepEqual(reconciled.wrong, [])
      gateway.forget()
      return reconciled
    },
    async warm() {
      // What is opened once, for good, is open by now.
      for (const stream of [false, true]) await call(asked({ model: warmUp, stream })).answer
      await quiet()
      // The ledger opens its store when it ships the first records.
      while (ledgerIn(await look('/health')).behind_bytes > 0) await setTimeout(pollMs)
      baseline = gateway.descriptors()
      upstream.takeBill()
      gateway.forget()
    },
  }
}

function ledgerIn(health: string): { readonly behind_bytes: number } {
  const { ledger } = JSON.parse(health) as { readonly ledger: { readonly behind_bytes: number } | null }
  return ledger ?? { behind_bytes: 0 }
}

function promptOf(kind: Kind): JsonObject {
  const words = `Name some trees, ${promptCanary}.`
  return kind === 'text' ? { prompt: words } : { messages: [{ role: 'user', content: words }] }
}

function streaming(stream: boolean): JsonObject {
  return stream ? { stream, stream_options: { include_usage: true } } : {}
}
