import type { Catalog, CatalogModel, CatalogPrice } from './catalog.ts'
import { nanoUsdOf, priceText, samePrice } from './price-text.ts'
import type { SourceRow, SourceRows } from './sources.ts'

/** A catalogue updated from several sources, and the changes row by row. */
export type CatalogUpdate = { readonly catalog: Catalog; readonly changes: readonly CatalogChange[] }

export type CatalogChange = {
  readonly type: 'added' | 'repriced' | 'retired' | 'confirmed' | 'disputed'
  readonly provider: string
  readonly model: string
  /** The end of a sentence: `1.25 in, 3.75 out -> 2.5 in, 7.5 out (LiteLLM)`. */
  readonly description: string
  /** It was not applied: it is large, or the sources disagree. */
  readonly isHeld: boolean
}

export type UpdateOptions = {
  /** The day on which the sources were read. */
  readonly today: string
  /** Also applies changes by more than a factor of three, or to zero. */
  readonly accepts: boolean
  /** Only these providers; by default those of the catalogue. */
  readonly providers?: readonly string[] | undefined
}

/**
 * Applies sources to a catalogue. Old rows end and stay, so that old records can be recomputed; a price that two
 * sources agree on is firm; a large change is held back until an operator accepts it.
 */
export function updateCatalog(
  catalog: Catalog,
  sources: readonly SourceRows[],
  { today, accepts, providers }: UpdateOptions,
): CatalogUpdate {
  const wanted = new Set(providers ?? catalog.models.map(({ provider }) => provider))
  const models = [...catalog.models]
  const changes: CatalogChange[] = []
  const named = sources.map((source) => ({ ...source, id: `${slug(source.name)}-${today}` }))
  const claims = claimsOf(named).filter(({ provider }) => wanted.has(provider))
  for (const claim of claims) changes.push(...applyClaim(models, claim, { today, accepts, catalog }))
  const used = named.filter(({ id }) => models.some((row) => row.sources.includes(id)))
  const added = used.map(({ id, name, url }) => [id, { name, url, readAt: today }] as const)
  const next = { ...catalog, models, sources: { ...catalog.sources, ...Object.fromEntries(added) } }
  const isChanged = changes.some(({ isHeld }) => !isHeld)
  return { catalog: isChanged ? { ...next, asOf: today } : catalog, changes }
}

/** The sources' facts about one model at one provider. */
type Claim = {
  readonly provider: string
  readonly model: string
  readonly rows: readonly { readonly id: string; readonly name: string; readonly row: SourceRow }[]
}

function claimsOf(sources: readonly (SourceRows & { readonly id: string })[]): readonly Claim[] {
  const all = sources.flatMap(({ id, name, rows }) => rows.map((row) => ({ id, name, row })))
  const groups = Map.groupBy(all, ({ row }) => JSON.stringify([row.provider, row.model]))
  return Array.from(groups.values(), (rows) => {
    const [first] = rows
    if (first === undefined) throw new TypeError('A group has a member.')
    return { provider: first.row.provider, model: first.row.model, rows }
  })
}

type ApplyOptions = Pick<UpdateOptions, 'today' | 'accepts'> & { readonly catalog: Catalog }

function applyClaim(models: CatalogModel[], claim: Claim, options: ApplyOptions): readonly CatalogChange[] {
  const { today } = options
  const { provider, model } = claim
  const own = models.filter((row) => row.provider === provider && row.model === model)
  const current = own.find(({ from = '', until = '9999' }) => from <= today && today < until)
  const gone = claim.rows.find(({ row: { until = '9999', isGone } }) => until <= today || isGone === true)
  const change = (type: CatalogChange['type'], description: string, isHeld = false): CatalogChange => ({
    ...{ type, provider, model, description, isHeld },
  })
  if (gone !== undefined) {
    if (current === undefined) return []
    const { until: day = today, successor } = gone.row
    const until = day > (current.from ?? '') ? day : today
    const next = { ...current, until, ...(successor === undefined ? {} : { successor }) }
    replace(models, current, [{ ...next, sources: withSource(current, gone.id, options.catalog) }])
    const now = successor === undefined ? '' : `, now ${successor}`
    return [change('retired', `since ${until}${now} (${gone.name})`)]
  }
  // A row that one source has ended is not reopened by an outdated source.
  if (current === undefined && own.length > 0) return []
  const agreed = agreement(claim, current)
  const names = agreed.map(({ name }) => name).join(', ')
  const [first] = agreed
  if (first === undefined) {
    const all = claim.rows.map(({ name, row }) => `${priceText(row.price)} (${name})`).join(', ')
    return [change('disputed', `${priceText(current?.price)}, or ${all}`, true)]
  }
  const row = rowOf(first.row, today, agreed)
  if (current === undefined) {
    models.push(row)
    return [change('added', `${priceText(row.price)} (${names})`)]
  }
  if (samePrice(current.price, row.price)) return confirm(models, current, row, { change, names, options })
  const description = `${priceText(current.price)} -> ${priceText(row.price)} (${names})`
  if (isLarge(current.price, row.price) && !options.accepts) return [change('repriced', description, true)]
  const isOfToday = current.from === today
  replace(models, current, isOfToday ? [row] : [{ ...current, until: today }, row])
  return [change('repriced', description)]
}

/** The rows whose price is used: two that agree, else the catalogue's, else a single source. */
function agreement({ rows }: Claim, current: CatalogModel | undefined): Claim['rows'] {
  const groups = rows.map(({ row }) => rows.filter((other) => samePrice(other.row.price, row.price)))
  const most = groups.reduce(
    (best, group) => (group.length > best.length ? group : best),
    [] as Claim['rows'],
  )
  if (most.length >= 2) return most
  const same = rows.filter(({ row }) => current !== undefined && samePrice(current.price, row.price))
  if (same.length > 0) return same
  return rows.length === 1 ? rows : []
}

type Confirming = {
  readonly change: (type: CatalogChange['type'], description: string) => CatalogChange
  readonly names: string
  readonly options: ApplyOptions
}

function confirm(
  models: CatalogModel[],
  current: CatalogModel,
  row: CatalogModel,
  { change, names, options }: Confirming,
): readonly CatalogChange[] {
  let { sources } = current
  for (const id of row.sources) sources = withSource({ sources }, id, options.catalog)
  const { firm: _firm, ...rest } = current
  const price = { ...row.price, ...current.price }
  // Two sources that agree make a doubtful price firm.
  const isFirm = sources.length >= 2 || current.firm !== false
  const next = { ...describe(rest, row), price, sources: [...sources], ...(isFirm ? {} : { firm: false }) }
  if (JSON.stringify(next) === JSON.stringify(current)) return []
  replace(models, current, [next])
  return [change('confirmed', `${priceText(price)} (${names})`)]
}

/** Facts that the catalogue lacks. */
function describe(current: Omit<CatalogModel, 'firm'>, row: CatalogModel): Omit<CatalogModel, 'firm'> {
  const { provider: _p, model: _m, from: _f, sources: _s, price: _price, ...facts } = row
  return { ...facts, ...current }
}

function rowOf(
  { until, isGone: _gone, ...row }: SourceRow,
  today: string,
  agreed: Claim['rows'],
): CatalogModel {
  const coming = until === undefined ? {} : { until }
  return { ...row, from: today, ...coming, sources: agreed.map(({ id }) => id) }
}

/** A newer reading replaces an older one of the same source. */
function withSource({ sources }: Pick<CatalogModel, 'sources'>, id: string, catalog: Catalog): string[] {
  const family = familyOf(id, catalog)
  return [...sources.filter((one) => one !== id && familyOf(one, catalog) !== family), id]
}

function familyOf(id: string, { sources }: Catalog): string {
  return slug(sources[id]?.name.replace(/ [\d.]+$/, '') ?? id.replace(/-\d{4}-\d\d-\d\d$/, ''))
}

function replace(models: CatalogModel[], old: CatalogModel, rows: readonly CatalogModel[]): void {
  models.splice(models.indexOf(old), 1, ...rows)
}

const large = 3

function isLarge(before: CatalogPrice | undefined, after: CatalogPrice | undefined): boolean {
  return (['input', 'output'] as const).some((name) => {
    const [one, other] = [nanoUsdOf(before?.[name]), nanoUsdOf(after?.[name])]
    if (one === undefined || other === undefined || one === other) return false
    return other === 0 || one === 0 || other > one * large || one > other * large
  })
}

function slug(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
}
