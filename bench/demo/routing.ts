import { type Config, loadConfig } from '../../src/config.ts'
import { usdText } from '../../src/core/model/price.ts'
import type { CallRecord } from '../../src/core/model/record/record.ts'
import { startGateway } from '../../src/main.ts'
import { providers } from '../../src/providers/all.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { onlyFile } from '../../test/harness/only-file.ts'
import { type Bills, billsCompared } from './bills.ts'
import { openPlaces, type Place } from './places.ts'
import { type Asked, askEach, askMixed } from './traffic.ts'

/** What came of the demonstration. Money in whole nano-USD. */
export type DemoReport = {
  readonly calls: number
  readonly failed: number
  /** Callers who went in the middle of an answer. */
  readonly left: number
  /** Streams that broke off and were continued elsewhere. */
  readonly continued: number
  /** Calls answered by each provider, before one was killed and after. */
  readonly answered: Readonly<Record<string, { readonly before: number; readonly after: number }>>
  readonly killed: string
  /** Attempts that a call survived. */
  readonly survived: number
  readonly costNanoUsd: number
  readonly baselineNanoUsd: number
  readonly savedNanoUsd: number
  readonly bills: Bills
}

/**
 * Runs the same model at four places of different price and speed, one of them paid by the second; sends mixed calls
 * through a gateway, with callers who leave and streams that break off; kills the place that had most of them, sends as
 * many again, and compares what the gateway says it cost with the places' bills.
 */
export async function demonstrateRouting(callsPerPhase: number): Promise<DemoReport> {
  const written = createRecords()
  const places = await openPlaces()
  const gateway = await startGateway(withoutLedger(configOf(places)), {
    log: createLog('silent', { write: () => undefined }),
    version: '0.0.0-demo',
    sinks: [written],
  })
  try {
    const names = places.map(({ name }) => name)
    const before = [
      ...(await askEach(gateway.url, names)),
      ...(await askMixed({ url: gateway.url, calls: callsPerPhase, seed: 1, streams: true })),
    ]
    await written.atLeast(before.length)
    const early = [...written.records]
    const favourite = mostUsed(early)
    const half = Math.ceil(callsPerPhase / 2)
    // Whole replies only: a chat that has begun cannot always be moved elsewhere.
    const during = askMixed({ url: gateway.url, calls: half, seed: 2, streams: false })
    await places.find(({ name }) => name === favourite)?.kill()
    const after = [
      ...(await during),
      ...(await askMixed({ url: gateway.url, calls: callsPerPhase - half, seed: 3, streams: true })),
    ]
    await written.atLeast(before.length + after.length)
    const late = written.records.slice(early.length)
    return report({ asked: [...before, ...after], early, late, places, killed: favourite })
  } finally {
    await gateway.stop({ delayMs: 0, graceMs: 1000 })
    for (const place of places) await place[Symbol.asyncDispose]()
  }
}

/** Takes the records of calls, and tells when there are so many. */
function createRecords() {
  const records: CallRecord[] = []
  let wake: () => void = () => undefined
  return {
    records,
    write(record: CallRecord) {
      records.push(record)
      wake()
    },
    async atLeast(count: number) {
      while (records.length < count) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    },
  }
}

function configOf(places: readonly Place[]) {
  const deployments = places.map(({ name, model, price }) => ({ provider: name, model, price }))
  const breaking = places.flatMap(({ name, fragile: model, price }) =>
    model === undefined ? [] : [{ provider: name, model, price }],
  )
  const file = {
    server: { port: 0 },
    providers: Object.fromEntries(places.map(({ name, provider }) => [name, provider])),
    models: {
      demo: { route: 'value', deployments },
      'demo-fragile': { deployments: [...breaking.slice(0, 1), ...deployments.slice(1, 2)] },
    },
  }
  return loadConfig({
    environment: { GATEWAY_CONFIG: 'demo.yaml' },
    readFile: onlyFile(JSON.stringify(file)),
    providers,
  })
}

function mostUsed(records: readonly CallRecord[]): string {
  const counts = Object.entries(countBy(records))
  return counts.toSorted(([, one], [, other]) => other - one)[0]?.[0] ?? ''
}

function countBy(records: readonly CallRecord[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { provider } of records)
    if (provider !== undefined) counts[provider] = (counts[provider] ?? 0) + 1
  return counts
}

type Outcome = {
  readonly asked: readonly Asked[]
  readonly early: readonly CallRecord[]
  readonly late: readonly CallRecord[]
  readonly places: readonly Place[]
  readonly killed: string
}

function report({ asked, early, late, places, killed }: Outcome): DemoReport {
  const records = [...early, ...late]
  const [before, after] = [countBy(early), countBy(late)]
  const bill = new Map(
    places.flatMap((place) =>
      place.bill().map(({ attempt = '', nanoUsd = 0 }): [string, number] => [attempt, nanoUsd]),
    ),
  )
  const sum = (amount: (record: CallRecord) => number | undefined) =>
    records.reduce((total, record) => total + (amount(record) ?? 0), 0)
  return {
    calls: asked.length,
    failed: asked.filter((one) => one === 'failed').length,
    left: asked.filter((one) => one === 'left').length,
    continued: records.filter(({ attempts }) => attempts.some(({ isResumed }) => isResumed)).length,
    answered: Object.fromEntries(
      places.map(({ name }) => [name, { before: before[name] ?? 0, after: after[name] ?? 0 }]),
    ),
    killed,
    survived: sum(({ attempts }) => attempts.length - 1),
    costNanoUsd: sum(({ costNanoUsd }) => costNanoUsd),
    baselineNanoUsd: sum(({ baselineNanoUsd }) => baselineNanoUsd),
    savedNanoUsd: sum(({ savedNanoUsd }) => savedNanoUsd),
    bills: billsCompared(records, bill),
  }
}

if (import.meta.main) {
  const told = await demonstrateRouting(220)
  const { bills } = told
  const usd = (nanoUsd: number) => `${usdText(nanoUsd)} USD`
  const amounts = { agreed: bills.agreedNanoUsd, billed: bills.billedNanoUsd }
  console.log(
    `${told.calls} calls, ${told.failed} failed, ${told.left} left by their callers; "${told.killed}" was killed half-way.`,
  )
  console.table(told.answered)
  console.log(`Attempts that failed and were made good elsewhere: ${told.survived}`)
  console.log(`Streams that broke off and were continued elsewhere: ${told.continued}`)
  console.log(
    `Spent ${usd(told.costNanoUsd)}; at the first place alone it had been ${usd(told.baselineNanoUsd)}.`,
  )
  console.log(`Saved ${usd(told.savedNanoUsd)}.`)
  console.log(
    `Of what the gateway is sure of: ${usd(amounts.agreed)}; by the places' own bills ${usd(amounts.billed)}; attempts in dispute: ${bills.disputed.length}.`,
  )
  console.log('What it had to estimate, because the answer broke off or the caller left:')
  console.table(
    bills.uncertain.map(({ deployment, outcome, claimedNanoUsd, billedNanoUsd }) => ({
      ...{ deployment, outcome, estimated: usd(claimedNanoUsd), billed: usd(billedNanoUsd) },
    })),
  )
  if (bills.disputed.length > 0) console.table(bills.disputed)
  process.exitCode = told.failed === 0 && bills.disputed.length === 0 ? 0 : 1
}

/** What is not a call of anybody's is in no ledger. */
function withoutLedger(config: Config): Config {
  return { ...config, ledger: { ...config.ledger, enabled: false } }
}
