import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { shippedCatalog } from '../../src/catalog/shipped.ts'
import { plainAdminKey, plainKey } from '../../src/config/tenancy.ts'
import type { Config } from '../../src/config.ts'
import { defaultBreaker } from '../../src/core/health/breaker.ts'
import type { CallRecord } from '../../src/core/model/record/record.ts'
import { alone, type Role } from '../../src/main/role.ts'
import { type RunningGateway, startGateway } from '../../src/main.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { noTenants } from '../../src/tenants/settings.ts'

/** A gateway on a free port, in this process, with what it recorded and logged. */
export type TestGateway = AsyncDisposable & {
  readonly url: string
  /** The gateway itself, to be reloaded and stopped. */
  readonly gateway: RunningGateway
  readonly records: CallRecord[]
  /** Everything it wrote to its log. */
  logged(): string
  /** The record of the call that ended last, once `count` calls have ended. */
  recorded(count?: number): Promise<CallRecord>
}

/**
 * Starts one over the simulator, unless `overrides` say otherwise. Providers are asked for their lists only where the
 * test says so: no other has to count those requests.
 */
export async function startTestGateway(
  overrides: Partial<Config> = {},
  { lists = false, role = alone }: { readonly lists?: boolean; readonly role?: Role } = {},
): Promise<TestGateway> {
  const records: CallRecord[] = []
  const waiting: (() => void)[] = []
  const lines: string[] = []
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString())
      done()
    },
  })
  const sink = {
    write(record: CallRecord) {
      records.push(record)
      for (const wake of waiting.splice(0)) wake()
    },
  }
  const gateway = await startGateway(inTest(overrides, lists), {
    log: createLog('trace', destination),
    version: '0.0.0-test',
    sinks: [sink],
    role,
  })
  return {
    url: gateway.url,
    gateway,
    records,
    logged: () => lines.join(''),
    async recorded(count = 1) {
      while (records.length < count) await new Promise<void>((resolve) => waiting.push(resolve))
      return records[count - 1] as CallRecord
    },
    [Symbol.asyncDispose]: () => gateway.stop({ graceMs: 1000 }),
  }
}

/** Keys of which nothing but the secret is said. */
function callersIn({
  keys = [],
  adminKeys = [],
  tenants = noTenants,
}: Partial<Config>): Pick<Config, 'tenants'> {
  if (tenants.keys.length > 0) return { tenants }
  const managers = adminKeys.map(({ key, role }) => plainAdminKey(key, role))
  return { tenants: { ...tenants, keys: [...keys.map(plainKey), ...managers] } }
}

/** A configuration as such a gateway takes it: without lists, and with nothing kept that the test did not ask for. */
export function inTest(overrides: Partial<Config>, lists = false): Config {
  const config = { ...simulatorConfig, ...overrides, ...callersIn(overrides) }
  const { dataDirectory, isDataDirectoryGiven, ledger } = simulatorConfig
  const places =
    overrides.isDataDirectoryGiven === false ? { dataDirectory, isDataDirectoryGiven, ledger } : {}
  return { ...config, ...places, catalog: { ...config.catalog, lists } }
}

/** As configured by default: there are no traces without an endpoint. */
export const noTracing: Config['tracing'] = {
  enabled: true,
  headers: {},
  protocol: 'http/protobuf',
  timeoutMs: 10_000,
  compression: 'none',
  resource: {},
  sampler: 'parentbased_traceidratio',
  ratio: 1,
  propagate: true,
  conventions: 'v1.36',
  batch: { spans: 512, queueSpans: 2048, delayMs: 5000, timeoutMs: 30_000 },
}

/** Every model at the simulator. */
export const simulatorConfig: Config = {
  host: '127.0.0.1',
  port: 0,
  allowUnauthenticated: false,
  allowedHosts: [],
  trustProxy: 0,
  workers: 1,
  keys: [],
  adminKeys: [],
  tenants: noTenants,
  acceptWider: false,
  cors: { origins: [] },
  logLevel: 'trace',
  slowThresholdMs: 60_000,
  strict: false,
  answerModel: 'requested',
  cache: { enabled: false, ttlMs: 60_000, maxEntries: 100, maxBytes: 1_000_000, everyCall: false },
  drain: { delayMs: 0, graceMs: 25_000 },
  coalesce: false,
  hedging: { enabled: false, share: 0.05 },
  breaker: defaultBreaker,
  idempotency: { enabled: true, ttlMs: 60_000, maxEntries: 100, maxBytes: 1_000_000 },
  responses: { keep: 'store', ttlMs: 86_400_000, maxEntries: 10_000, maxBytes: 134_217_728 },
  stickiness: true,
  catalog: {
    data: shippedCatalog(),
    file: undefined,
    lists: false,
    everyMs: 14_400_000,
    maxPriceAgeDays: 45,
  },
  tracing: noTracing,
  dataDirectory: join(tmpdir(), `pandotate-gateway-test-${process.pid}`),
  isDataDirectoryGiven: true,
  ledger: {
    enabled: false,
    durability: 'process',
    spoolBytes: 67_108_864,
    keepCallsDays: 90,
    keepRollupsDays: 731,
  },
  console: { enabled: true },
  shared: {
    ...{ onLoss: 'local', leasePercent: 20, goneAfterMs: 15_000 },
    redis: { mode: 'single', sentinelName: 'mymaster', prefix: 'pandotate', timeoutMs: 100 },
  },
  probes: { enabled: false, intervalMs: 30_000, timeoutMs: 5000 },
  limits: {
    bodyBytes: 26_214_400,
    jsonDepth: 64,
    jsonNodes: 100_000,
    deadlineMs: 60_000,
    attempts: 3,
    fanOut: 8,
    choices: 256,
    continueStreams: true,
    retryShare: 1,
    inFlight: 2048,
    inFlightBytes: 536_870_912,
    connections: 16_384,
    connectionsPerAddress: 4096,
    loopDelayMs: 60_000,
    heapShare: 1,
    writeStallMs: 30_000,
    keepaliveMs: 10_000,
    heartbeatMs: 90_000,
  },
  providers: [{ name: 'simulator', type: 'simulator', settings: {} }],
  routes: [{ pattern: '*', strategy: 'fallback', deployments: [{ provider: 'simulator' }] }],
  routing: { isDefault: false, listed: false, successors: false },
  demo: true,
  stated: [],
  source: undefined,
}

/** The configuration of a gateway whose every model goes to a Pandotate at `url`. */
export function pandotateConfig(settings: Record<string, unknown>): Partial<Config> {
  return {
    providers: [{ name: 'pandotate', type: 'pandotate', settings }],
    routes: [{ pattern: '*', strategy: 'fallback', deployments: [{ provider: 'pandotate' }] }],
    demo: false,
  }
}
