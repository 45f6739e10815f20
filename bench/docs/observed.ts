import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { isDeepStrictEqual } from 'node:util'
import { type Config, loadConfig } from '../../src/config.ts'
import { isObject, type JsonObject } from '../../src/core/model/json/json.ts'
import type { CallRecord } from '../../src/core/model/record/record.ts'
import { startGateway } from '../../src/main.ts'
import { providers } from '../../src/providers/all.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { onlyFile } from '../../test/harness/only-file.ts'
import type { Asking, Probe } from './probes.ts'

/** What became of something a caller said. */
export type Outcome =
  | { readonly kind: 'refused'; readonly status: number; readonly code: string | null }
  | {
      readonly kind: 'sent'
      /** It was forwarded unchanged. */
      readonly isSame: boolean
      /** The members of the upstream's request that are there, or are others, because of it. */
      readonly becomes: Readonly<Record<string, unknown>>
      /** The names under which the caller is told that something was left out. */
      readonly dropped: readonly string[]
      /** How many requests it takes. */
      readonly parts: number
    }

/** The settings of an upstream at an address, as a configuration has them. */
export type Target = (origin: string) => JsonObject

/** A gateway before every one of the targets, that tells what reaches them. */
export type Observatory = AsyncDisposable & {
  observe(target: string, asking: Asking, probe: Probe): Promise<Outcome>
  /** What a caller gets of a reply. */
  answer(target: string, asking: Asking, reply: JsonObject): Promise<unknown>
}

/** The model's name everywhere: a prompt is written for its family. */
const model = 'llama-3.1-8b-instruct'

/** Starts one. The upstreams refuse every request, for that it came is all there is to see, unless given a reply. */
export async function startObservatory(targets: Readonly<Record<string, Target>>): Promise<Observatory> {
  await using starting = new AsyncDisposableStack()
  const arrived: string[] = []
  let reply: JsonObject | undefined
  const upstream = createServer((request, response) => {
    const pieces: Buffer[] = []
    request.on('data', (piece: Buffer) => pieces.push(piece))
    request.on('end', () => {
      // Lists of models are asked for, too: those are no calls.
      if (request.method === 'POST') arrived.push(Buffer.concat(pieces).toString())
      const status = reply === undefined ? 400 : 200
      response.writeHead(status, { 'content-type': 'application/json', connection: 'close' })
      response.end(JSON.stringify(reply ?? { error: { message: 'no' } }))
    })
  }).listen(0, '127.0.0.1')
  await once(upstream, 'listening')
  starting.defer(async () => {
    upstream.close()
    await once(upstream, 'close')
  })
  const origin = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`
  let recorded = Promise.withResolvers<CallRecord>()
  const gateway = await startGateway(withoutLedger(configOf(targets, origin)), {
    log: createLog('silent', process.stderr),
    version: '0.0.0',
    sinks: [{ write: (record) => recorded.resolve(record) }],
  })
  starting.defer(() => gateway.stop({ delayMs: 0, graceMs: 1000 }))

  async function ask(target: string, path: string, body: JsonObject): Promise<Seen> {
    arrived.length = 0
    recorded = Promise.withResolvers()
    const response = await fetch(gateway.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...body, model: target }),
    })
    const answer: unknown = await response.json()
    return { record: await recorded.promise, sent: arrived[0], answer }
  }

  const usually = new Map<string, Promise<Seen>>()

  /** What comes of the same request without the field. */
  function askUsual(target: string, path: string, body: JsonObject): Promise<Seen> {
    const asked = JSON.stringify([target, path, body])
    const known = usually.get(asked) ?? ask(target, path, body)
    usually.set(asked, known)
    return known
  }

  const started = starting.move()
  return {
    async observe(target, { path, base }, { field, value, beside }) {
      const before = await askUsual(target, path, { ...base, ...beside })
      const { record, sent } = await ask(target, path, { ...base, ...beside, [field]: value })
      if (sent === undefined) return refusalOf(record)
      const members = membersOf(sent)
      const usual = before.sent === undefined ? {} : membersOf(before.sent)
      const changed = Object.entries(members).filter(([name, is]) => !isDeepStrictEqual(is, usual[name]))
      const known = before.record.dropped
      return {
        kind: 'sent',
        isSame: isDeepStrictEqual(members[field], value) && changed.every(([name]) => name === field),
        becomes: Object.fromEntries(changed),
        dropped: [...record.dropped].filter((name) => !known.has(name)),
        parts: record.parts,
      }
    },
    async answer(target, { path, base }, given) {
      reply = given
      const { answer } = await ask(target, path, base)
      reply = undefined
      return answer
    },
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  }
}

type Seen = { readonly record: CallRecord; readonly sent: string | undefined; readonly answer: unknown }

function configOf(targets: Readonly<Record<string, Target>>, origin: string) {
  const file = {
    server: { port: 0 },
    providers: Object.fromEntries(
      Object.entries(targets).map(([name, settings]) => [name, { retries: 0, ...settings(origin) }]),
    ),
    models: Object.fromEntries(
      Object.keys(targets).map((name) => [name, { deployments: [{ provider: name, model }] }]),
    ),
  }
  return loadConfig({
    environment: { GATEWAY_CONFIG: 'gateway.yaml' },
    readFile: onlyFile(JSON.stringify(file)),
    providers,
  })
}

function refusalOf({ failure, status }: CallRecord): Outcome {
  if (failure === undefined || failure.blame === 'upstream')
    throw new Error('it reached no upstream', { cause: failure })
  return { kind: 'refused', status, code: failure.code }
}

/** Envelopes that a request is put into. What they hold counts as the request's own. */
const envelopes = ['input', 'openai_input', 'sampling_params'] as const

function membersOf(text: string): JsonObject {
  let members: JsonObject = JSON.parse(text)
  for (const name of envelopes) {
    const { [name]: inner, ...outer } = members
    if (isObject(inner)) members = { ...outer, ...inner }
  }
  return members
}

/** What is not a call of anybody's is in no ledger. */
function withoutLedger(config: Config): Config {
  return { ...config, ledger: { ...config.ledger, enabled: false } }
}
