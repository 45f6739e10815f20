import * as z from 'zod'
import { dayOf } from './day.ts'
import { type Amount, priceOf } from './listed-price.ts'

/**
 * Models and hardware at providers, as data: availability over time, prices and abilities with their sources, and
 * default routes. Read from `catalog.json`.
 */
export type Catalog = {
  /** The day on which it was compiled. */
  readonly asOf: string
  /** By the names that rows use. */
  readonly sources: Readonly<Record<string, CatalogSource>>
  readonly models: readonly CatalogModel[]
  readonly hardware: readonly CatalogHardware[]
  readonly names: readonly CatalogName[]
}

/** Where and on which day a row was read. `firstHand`: by the provider itself. */
export type CatalogSource = z.infer<typeof sourceSchema>

/** A model at a provider, for the days on which the row applies: from `from` (always, if absent) to before `until`. */
export type CatalogModel = z.infer<typeof modelSchema>

/** In USD per million tokens (also for batches, and for prompts longer than a tier's bound), and per request. */
export type CatalogPrice = z.infer<typeof tokenPriceSchema>

/** A machine that is billed by time, and its names in the provider's own list. */
export type CatalogHardware = z.infer<typeof hardwareSchema>

/** Names with common destinations, in that order; if all are gone, their successors. */
export type CatalogName = z.infer<typeof nameSchema>

/** The errors of a catalogue, one line each, with the position and at most a few letters of the text. */
export class CatalogError extends Error {
  override readonly name = 'CatalogError'
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(`The catalogue cannot be used.\n${problems.map((problem) => `  ${problem}\n`).join('')}`)
    this.problems = problems
  }
}

/** Parses a catalogue. Throws CatalogError for an invalid one. */
export function readCatalog(text: string): Catalog {
  return checkedCatalog(parsed(text))
}

/** The same for parsed JSON. */
export function checkedCatalog(content: unknown): Catalog {
  const result = catalogSchema.safeParse(content)
  if (!result.success) {
    const { issues } = result.error
    throw new CatalogError(issues.slice(0, 20).map((issue) => `${placeOf(issue.path)}: ${issue.message}`))
  }
  const { format: _format, version: _version, ...catalog } = result.data
  const problems = [...wrongRows(catalog), ...wrongNames(catalog)]
  if (problems.length > 0) throw new CatalogError(problems)
  return catalog
}

/** A catalogue as text, one row per line, so that two can be compared. */
export function catalogText({ asOf, sources, models, hardware, names }: Catalog): string {
  const rows = (list: readonly unknown[]) => list.map((row) => `    ${JSON.stringify(row)}`).join(',\n')
  const named = Object.entries(sources).map(
    ([name, source]) => `    ${JSON.stringify(name)}: ${JSON.stringify(source)}`,
  )
  return `{
  "format": "${catalogFormat}",
  "version": 1,
  "asOf": "${asOf}",
  "sources": {
${named.join(',\n')}
  },
  "models": [
${rows(models)}
  ],
  "hardware": [
${rows(hardware)}
  ],
  "names": [
${rows(names)}
  ]
}
`
}

export const catalogFormat = 'pandotate-catalog'

/** Types of models; no call of this gateway can use `other`. */
export const modelKinds = ['chat', 'text', 'embedding', 'rerank', 'moderation', 'other'] as const

const day = z.string().refine((text) => isTaken(() => dayOf(text)), 'expected a day, such as 2026-12-01')

const name = z.string().min(1).max(256)

const amount = z
  .union([z.string(), z.number()])
  .refine((value: Amount) => isTaken(() => priceOf({ unit: 'usd_per_second', work: value })), {
    error: 'expected USD as a decimal number of at least 0, with 9 decimals at most',
  })

const sourceSchema = z.strictObject({
  name,
  url: z.url(),
  readAt: day,
  firstHand: z.boolean().exactOptional(),
})

const tierSchema = z.strictObject({
  /** For prompts with more tokens than this. */
  above: z.int().min(1),
  input: amount.exactOptional(),
  output: amount.exactOptional(),
  cachedInput: amount.exactOptional(),
})

const tokenPriceSchema = z.strictObject({
  input: amount.exactOptional(),
  output: amount.exactOptional(),
  cachedInput: amount.exactOptional(),
  request: amount.exactOptional(),
  batchInput: amount.exactOptional(),
  batchOutput: amount.exactOptional(),
  tiers: z.array(tierSchema).min(1).exactOptional(),
})

const dates = { from: day.exactOptional(), until: day.exactOptional() }

const provenance = {
  sources: z.array(name).min(1),
  /** Whether it is confirmed; absent: yes if the provider itself says so, or two sources do. */
  firm: z.boolean().exactOptional(),
  note: z.string().max(400).exactOptional(),
}

const count = z.int().min(1).exactOptional()
const ability = z.boolean().exactOptional()

const modelSchema = z.strictObject({
  provider: name,
  model: name,
  /** Absent: a chat model. */
  kind: z.enum(modelKinds).exactOptional(),
  ...dates,
  /** The successor that the provider names, by its name there. */
  successor: name.exactOptional(),
  price: tokenPriceSchema.exactOptional(),
  contextTokens: count,
  maxOutputTokens: count,
  tools: ability,
  vision: ability,
  jsonSchema: ability,
  reasoning: ability,
  ...provenance,
})

const hardwareSchema = z.strictObject({
  provider: name,
  gpu: name,
  /** Its names in the provider's list of hardware. */
  pools: z.array(name).exactOptional(),
  ...dates,
  price: z.union([z.strictObject({ perSecond: amount }), z.strictObject({ perHour: amount })]),
  ...provenance,
})

const nameSchema = z.strictObject({
  names: z.array(name).min(1),
  places: z.array(z.strictObject({ provider: name, model: name.exactOptional() })).min(1),
  successors: z.array(name).min(1).exactOptional(),
})

const catalogSchema = z.strictObject({
  format: z.literal(catalogFormat),
  version: z.literal(1),
  asOf: day,
  sources: z.record(name, sourceSchema),
  models: z.array(modelSchema),
  hardware: z.array(hardwareSchema),
  names: z.array(nameSchema),
})

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new CatalogError(['It is not JSON.'])
  }
}

function placeOf(path: readonly PropertyKey[]): string {
  return path.map(String).join('.') || 'the whole'
}

type Row = CatalogModel | CatalogHardware

function wrongRows({ models, hardware, sources }: Catalog): readonly string[] {
  const rows: readonly Row[] = [...models, ...hardware]
  const seen = new Set<string>()
  return rows.flatMap((row) => {
    const what = 'model' in row ? row.model : row.gpu
    const place = `${what} at ${row.provider}`
    const { from = '', until } = row
    const key = JSON.stringify(['model' in row, row.provider, what, from])
    const isTwice = seen.has(key)
    seen.add(key)
    const unknown = row.sources.filter((source) => !Object.hasOwn(sources, source))
    return [
      ...(isTwice ? [`${place}: two rows begin on the same day`] : []),
      ...(until !== undefined && until <= from ? [`${place}: until is not after from`] : []),
      ...unknown.map((source) => `${place}: there is no source ${JSON.stringify(source.slice(0, 40))}`),
    ]
  })
}

function wrongNames({ names }: Catalog): readonly string[] {
  const all = names.flatMap((row) => row.names)
  const known = new Set(all)
  const twice = all.filter((one, at) => all.indexOf(one) !== at)
  const lost = names.flatMap(({ successors = [] }) => successors.filter((one) => !known.has(one)))
  return [
    ...new Set(twice.map((one) => `${one}: is in two entries of names`)),
    ...new Set(lost.map((one) => `${one}: is named as a successor, but is not in names`)),
  ]
}

function isTaken(read: () => unknown): boolean {
  try {
    read()
    return true
  } catch (thrown) {
    if (thrown instanceof RangeError) return false
    throw thrown
  }
}
