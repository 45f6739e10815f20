import { readFile } from 'node:fs/promises'
import { createPriceBook } from '../../../catalog/price-book.ts'
import type { Config } from '../../../config.ts'
import { isObject } from '../../../core/model/json/json.ts'
import { counts, dayMs } from '../../../ledger/store/rollup.ts'
import type { Store } from '../../../ledger/store/store.ts'
import { priceKey } from '../../../main/upstreams/price-key.ts'
import { defineCommand } from '../../command.ts'
import { configOptions } from '../../config-options.ts'
import { tableOf } from '../../keys/tenant-options.ts'
import { readConfig } from '../../read-config.ts'
import { openLedgerStore } from '../ledger-store.ts'
import { readSpan } from '../usage.ts'
import { type BillRow, readCsvBill } from './bill.ts'
import { type BookedRow, type ComparedRow, compareBills, lost } from './compare.ts'
import { askRunpod, runpodsIn } from './runpod.ts'
import { UnreadableBill } from './unreadable-bill.ts'
import { nothingWrittenOff, type WrittenOff, writeOff } from './write-off.ts'

const span = { value: 'SPAN', takes: 'a span such as 7d', read: readSpan } as const

export const reconcile = defineCommand({
  name: 'reconcile',
  does: 'compare a provider’s bill with the ledger, by day and model',
  about:
    'A file is an invoice as CSV, with columns for the day, the amount in USD and optionally the model. Days are in UTC.',
  operands: [{ name: 'runpod|FILE.csv', does: 'RunPod’s billing API, or an exported invoice' }],
  options: {
    since: { ...span, does: 'how far back, as in 24h or 7d (default: 7d)' },
    provider: { value: 'NAME', does: 'the provider of the invoice (default: all)' },
    'write-off': { ...span, does: 'settle calls that have been uncertain for longer at their counted cost' },
    json: { does: 'as JSON, for scripts' },
    ...configOptions,
  },
  async run({ operands: [source = ''], options }) {
    const { since = 7 * dayMs, provider, 'write-off': age, json, ...overrides } = options
    const config = readConfig(overrides)
    const to = Date.now()
    const from = Math.floor((to - since) / dayMs) * dayMs
    try {
      const { billed, names } = await billOf(source, config, { from, to, provider })
      await using store = await openLedgerStore(config)
      const within = billed.filter(({ day }) => Date.parse(day) >= from && Date.parse(day) <= to)
      const booked = await bookedIn(store, { from, to }, (row) =>
        names({ ...row, provider: providerOf(config, row) }),
      )
      const rows = compareBills(within, booked, priceChanges(config))
      const written = age === undefined ? nothingWrittenOff : await writeOff(store, overrides, to - age)
      print(rows, written, json === true)
      return written.isRefused ? 1 : 0
    } catch (thrown) {
      if (!(thrown instanceof UnreadableBill)) throw thrown
      process.stderr.write(`${thrown.message}\n`)
      return 1
    }
  },
})

type Span = { readonly from: number; readonly to: number }

/** Returns the name of a ledger row in the bill; undefined for a row of another provider. */
type Naming = (row: { readonly model: string; readonly provider: string }) => string | undefined

async function billOf(
  source: string,
  config: Config,
  { from, to, provider }: Span & { readonly provider: string | undefined },
): Promise<{ readonly billed: readonly BillRow[]; readonly names: Naming }> {
  if (source === 'runpod') {
    const endpoints = runpodsIn(config).filter(({ name }) => provider === undefined || name === provider)
    const billed = await askRunpod(endpoints, { from, to })
    return {
      billed,
      names: (row) => endpoints.find(({ name }) => name === row.provider)?.endpointId,
    }
  }
  const text = await readFile(source, 'utf8').catch((cause: Error) => {
    throw new UnreadableBill(`${source} cannot be read: ${cause.message}`)
  })
  const billed = readCsvBill(text)
  const known = new Set(billed.flatMap(({ name }) => name ?? []))
  return {
    billed,
    names({ model, provider: at }) {
      if (provider !== undefined && at !== provider) return undefined
      return upstreamNames(config, model, at).find((name) => known.has(name)) ?? model
    },
  }
}

/** The caller's and the provider's names of a model. */
function upstreamNames({ routes }: Config, model: string, provider: string): readonly string[] {
  const deployments = routes.find(({ pattern }) => pattern === model)?.deployments ?? []
  return [model, ...deployments.flatMap((one) => (one.provider === provider && one.model) || [])]
}

/** The provider of a call that was not answered: the only one that its model is routed to; '' if there are several. */
function providerOf(
  { routes }: Config,
  { model, provider }: { readonly model: string; readonly provider: string },
): string {
  if (provider !== '') return provider
  const all = routes.find(({ pattern }) => pattern === model)?.deployments ?? []
  const [only = '', ...others] = new Set(all.map((one) => one.provider))
  return others.length === 0 ? only : ''
}

async function bookedIn(store: Store, { from, to }: Span, names: Naming): Promise<readonly BookedRow[]> {
  const by = ['day', 'model', 'provider'] as const
  const rows = await store.usage({ from, to, by, filters: {}, withHistograms: false, limit: 100_000 })
  return rows.flatMap(({ names: [day = '', model = '', provider = ''], sums }) => {
    const sumOf = (count: (typeof counts)[number]) => sums[counts.indexOf(count)] ?? 0
    const isLost = model === '' && sumOf('uncertain') > 0
    const name = isLost ? lost : names({ model, provider })
    if (name === undefined) return []
    return [
      {
        ...{ day: new Date(Number(day)).toISOString().slice(0, 10), name },
        ...{ nanoUsd: sumOf('cost'), uncertainNanoUsd: sumOf('uncertain') },
        ...{ requests: sumOf('requests'), cachedTokens: sumOf('cached_tokens') },
      },
    ]
  })
}

/** Returns true if the price of a model changed during a day. */
function priceChanges(config: Config): (name: string, day: string) => boolean {
  const book = createPriceBook(config.catalog.data, config.catalog.maxPriceAgeDays)
  return (name, day) => {
    const began = Date.parse(day)
    return config.routes.some(({ pattern, deployments }) =>
      deployments.some(({ provider, model = pattern, price: own }) => {
        const written = config.providers.find((one) => one.name === provider)
        const settings = isObject(written?.settings) ? written.settings : {}
        if (written === undefined || ![pattern, model, settings['endpointId']].includes(name)) return false
        const question = { provider: priceKey(written), model, own }
        const at = (epochMs: number) => JSON.stringify(book.find(question, epochMs)?.price)
        return at(began) !== at(began + dayMs - 1)
      }),
    )
  }
}

function print(rows: readonly ComparedRow[], { settled, pending }: WrittenOff, asJson: boolean): void {
  if (asJson) {
    const data = rows.map((row) => ({
      ...{ day: row.day, name: row.name },
      ...{ billed_nano_usd: row.billedNanoUsd ?? null, booked_nano_usd: row.bookedNanoUsd ?? null },
      ...{ uncertain_nano_usd: row.uncertainNanoUsd, difference_nano_usd: row.differenceNanoUsd },
      reasons: row.reasons,
    }))
    process.stdout.write(`${JSON.stringify({ data, written_off: settled, pending })}\n`)
    return
  }
  const shown = (nano: number | undefined) => (nano === undefined ? '-' : (nano / 1e9).toFixed(4))
  const cells = rows.map((row) => [
    ...[row.day, row.name, shown(row.billedNanoUsd), shown(row.bookedNanoUsd)],
    ...[shown(row.uncertainNanoUsd), shown(row.differenceNanoUsd)],
    row.reasons.map((reason) => reason.replaceAll('_', ' ')).join(', '),
  ])
  process.stdout.write(
    tableOf(['day', 'model', 'billed USD', 'booked USD', 'uncertain', 'difference', 'why'], cells),
  )
  const total = (of: (row: ComparedRow) => number) => shown(rows.reduce((sum, row) => sum + of(row), 0))
  process.stdout.write(
    `Billed ${total((row) => row.billedNanoUsd ?? 0)}, booked ${total((row) => row.bookedNanoUsd ?? 0)} USD.\n`,
  )
  if (settled.length > 0) process.stdout.write(`Written off: ${settled.length} calls.\n`)
  if (pending.length > 0)
    process.stdout.write(`${pending.length} calls will be written off when their node is available again.\n`)
}
