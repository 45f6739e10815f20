import type { Catalog, CatalogModel } from './catalog.ts'
import { dayOf } from './day.ts'
import { priceText, samePrice } from './price-text.ts'
import type { SourceRows } from './sources.ts'

/** A model at a provider that calls may go to. */
export type RoutedModel = { readonly provider: string; readonly model: string }

export type DiffOptions = {
  readonly today: string
  readonly maxAgeDays: number
}

/**
 * Outdated facts about the models that calls go to, one line each: retired, with an unknown or too old price, or
 * contradicted by a source.
 */
export function disagreements(
  catalog: Catalog,
  routed: readonly RoutedModel[],
  sources: readonly SourceRows[],
  options: DiffOptions,
): readonly string[] {
  return routed.flatMap(({ provider, model }) => {
    const own = catalog.models.filter((row) => row.provider === provider && row.model === model)
    const place = `${model} at ${provider}`
    const { today } = options
    const current = own.find(({ from = '', until = '9999' }) => from <= today && today < until)
    if (current !== undefined)
      return differences(current, catalog, sources, options).map((difference) => `${place}: ${difference}`)
    const last = own.toSorted((one, other) => ((one.until ?? '') < (other.until ?? '') ? 1 : -1))[0]
    if (last?.until === undefined) return [`${place}: is not in the catalogue`]
    const now = last.successor === undefined ? '' : `, now ${last.successor}`
    return [`${place}: retired since ${last.until}${now}`]
  })
}

function differences(
  current: CatalogModel,
  catalog: Catalog,
  sources: readonly SourceRows[],
  { today, maxAgeDays }: DiffOptions,
): readonly string[] {
  const read = current.sources
    .flatMap((id) => catalog.sources[id]?.readAt ?? [])
    .toSorted()
    .at(-1)
  const days = read === undefined ? Number.POSITIVE_INFINITY : (dayOf(today) - dayOf(read)) / 86_400_000
  const aged = days > maxAgeDays ? [`its price was last read on ${read}, ${days} days ago`] : []
  const contradictions = sources.flatMap(({ name, rows }) => {
    const row = rows.find((one) => one.provider === current.provider && one.model === current.model)
    if (row === undefined) return []
    if ((row.until ?? '9999') <= today || row.isGone === true) return [`${name} lists it as retired`]
    return samePrice(row.price, current.price)
      ? []
      : [`${priceText(current.price)}, and ${name} has ${priceText(row.price)}`]
  })
  return [...aged, ...contradictions]
}
