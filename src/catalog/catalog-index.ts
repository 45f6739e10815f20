import { matchesPattern } from '../core/model/pattern.ts'
import type { Traits } from '../core/model/ports.ts'
import { type Price, unknownPrice } from '../core/model/price.ts'
import type { Catalog, CatalogHardware, CatalogModel } from './catalog.ts'
import { dayOf } from './day.ts'
import type { KnownPrice } from './known-price.ts'
import { type ListedPrice, priceOf } from './listed-price.ts'

/** The rows of a catalogue, indexed: models by provider and name, hardware by type and name. */
export interface CatalogIndex {
  models(provider: string | undefined): ProviderIndex
  hardware(type: string): ProviderIndex
}

export interface ProviderIndex {
  /** The row that applies at that moment: by the model's own name, or else by the longest matching pattern. */
  inForce(name: string, epochMs: number): Entry | undefined
  /** The same, or the last one that applied if none does any more. */
  latest(name: string, epochMs: number): Entry | undefined
}

/** A row with its price, while that is firm and after. */
export type Entry = {
  readonly fromMs: number
  readonly untilMs: number
  readonly firmUntilMs: number
  /** When it was last read at a source. */
  readonly asOfEpochMs: number
  /** Undefined: its price is unknown. */
  readonly firm: KnownPrice | undefined
  readonly doubtful: KnownPrice | undefined
  readonly traits: Traits
  readonly successor: string | undefined
  readonly pools: readonly string[]
}

/** Throws RangeError, naming the row, for an invalid price or date. */
export function createCatalogIndex(
  { models, hardware, sources }: IndexParts,
  firmDays: number,
): CatalogIndex {
  const modelIndex = indexByProvider(models, ({ model }) => model, { sources, firmDays })
  const hardwareIndex = indexByProvider(hardware, ({ gpu }) => gpu, { sources, firmDays })
  return {
    models: (provider) => (provider === undefined ? undefined : modelIndex.get(provider)) ?? emptyIndex,
    hardware: (type) => hardwareIndex.get(type) ?? emptyIndex,
  }
}

export type IndexParts = Pick<Catalog, 'models' | 'hardware' | 'sources'>

const emptyIndex: ProviderIndex = { inForce: () => undefined, latest: () => undefined }

const dayMs = 86_400_000

type Row = CatalogModel | CatalogHardware

type Reading = { readonly sources: Catalog['sources']; readonly firmDays: number }

function indexByProvider<R extends Row>(
  rows: readonly R[],
  nameOf: (row: R) => string,
  reading: Reading,
): ReadonlyMap<string, ProviderIndex> {
  const byProvider = Map.groupBy(rows, ({ provider }) => provider)
  return new Map(
    Array.from(byProvider, ([provider, own]) => [provider, indexByName(own, nameOf, reading)] as const),
  )
}

function indexByName<R extends Row>(
  rows: readonly R[],
  nameOf: (row: R) => string,
  reading: Reading,
): ProviderIndex {
  const byName = Array.from(Map.groupBy(rows, nameOf), ([name, own]) => {
    const entries = own.map((row) => entryOf(row, name, reading))
    return [name, entries.toSorted((one, other) => other.fromMs - one.fromMs)] as const
  })
  const exact = new Map(byName)
  const patterns = byName
    .filter(([name]) => name.includes('*'))
    .toSorted(([one], [other]) => other.length - one.length)
  const find = (name: string, fits: (entry: Entry) => boolean) => {
    const own = exact.get(name)?.find(fits)
    if (own !== undefined) return own
    for (const [pattern, entries] of patterns) {
      const fitting = matchesPattern(name, pattern) ? entries.find(fits) : undefined
      if (fitting !== undefined) return fitting
    }
    return undefined
  }
  const inForce: ProviderIndex['inForce'] = (name, epochMs) =>
    find(name, ({ fromMs, untilMs }) => fromMs <= epochMs && epochMs < untilMs)
  return {
    inForce,
    latest: (name, epochMs) => inForce(name, epochMs) ?? find(name, ({ fromMs }) => fromMs <= epochMs),
  }
}

function entryOf(row: Row, name: string, { sources, firmDays }: Reading): Entry {
  try {
    const { from, until } = row
    const readFrom = row.sources.flatMap((source) => sources[source] ?? [])
    const asOfEpochMs = Math.max(0, ...readFrom.map(({ readAt }) => dayOf(readAt)))
    const isFirm = row.firm ?? (readFrom.length >= 2 || readFrom.some(({ firstHand }) => firstHand === true))
    const price = priceIn(row)
    const sinceEpochMs = from === undefined ? undefined : dayOf(from)
    const sourceName = readFrom.map((source) => `${source.name}, ${source.readAt}`).join('; ')
    const known = { price, source: 'shipped', sinceEpochMs, asOfEpochMs, sourceName } as const
    const isPriced = Object.values(price).some((amount) => amount !== undefined)
    return {
      fromMs: sinceEpochMs ?? Number.NEGATIVE_INFINITY,
      untilMs: until === undefined ? Number.POSITIVE_INFINITY : dayOf(until),
      asOfEpochMs,
      firmUntilMs: isFirm ? asOfEpochMs + firmDays * dayMs : Number.NEGATIVE_INFINITY,
      firm: isPriced ? { ...known, isFirm: true } : undefined,
      doubtful: isPriced ? { ...known, isFirm: false } : undefined,
      traits: traitsIn(row),
      successor: 'successor' in row ? row.successor : undefined,
      pools: 'pools' in row ? (row.pools ?? []) : [],
    }
  } catch (thrown) {
    if (!(thrown instanceof RangeError)) throw thrown
    throw new RangeError(`The price of ${name} at ${row.provider}: ${thrown.message}`, { cause: thrown })
  }
}

function priceIn(row: Row): Price {
  if (row.price === undefined) return unknownPrice
  return priceOf(listedPrice(row.price))
}

function listedPrice(price: NonNullable<Row['price']>): ListedPrice {
  if ('perSecond' in price) return { unit: 'usd_per_second', work: price.perSecond }
  if ('perHour' in price) return { unit: 'usd_per_hour', work: price.perHour }
  return { unit: 'usd_per_million_tokens', ...price }
}

function traitsIn(row: Row): Traits {
  if (!('model' in row)) return {}
  const { contextTokens, maxOutputTokens, tools, vision, jsonSchema } = row
  const traits = Object.entries({ contextTokens, maxOutputTokens, tools, vision, jsonSchema })
  return Object.fromEntries(traits.filter(([, value]) => value !== undefined))
}
