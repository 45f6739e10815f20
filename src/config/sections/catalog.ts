import { join } from 'node:path'
import * as z from 'zod'
import { type Catalog, CatalogError, readCatalog } from '../../catalog/catalog.ts'
import { shippedCatalog } from '../../catalog/shipped.ts'
import { isObject } from '../../core/model/json/json.ts'
import type { Finding, Problem } from '../report/problem.ts'
import { defaultDataDirectory } from '../source/data-directory.ts'

/** What is known of models and prices, and how it is kept true. */
export type CatalogSettings = {
  readonly data: Catalog
  /** Where it was read; undefined: it is the one that is shipped. */
  readonly file: string | undefined
  /** Providers that have lists of their models are asked for them. */
  readonly lists: boolean
  /** How long after one answer the next is asked for. */
  readonly everyMs: number
  /** A price that was last read longer ago is no longer firm. */
  readonly maxPriceAgeDays: number
}

export const catalogSetting = z
  .strictObject({
    /** Empty: the one in the data directory, where that is newer, else the one that is shipped. */
    file: z.string().max(4096).meta({ expected: 'the path of a catalogue' }).default(''),
    lists: z.boolean().default(true),
    everyMs: z
      .int()
      .min(60_000)
      .max(7 * 86_400_000)
      .default(4 * 3_600_000),
    maxPriceAgeDays: z.int().min(1).max(3650).default(45),
  })
  .prefault({})

/** Names that no route of the operator's has. */
export const routesSetting = z
  .strictObject({
    /** A model that a provider lists, asked for by its full name, goes there. Left out: where there are no `models`. */
    listed: z.boolean().exactOptional(),
    /** A name without a living place goes to what the catalogue names in its place. */
    successors: z.boolean().default(false),
  })
  .prefault({})

/** The catalogue in use, and what is wrong with the file it was looked for in. */
export type OpenedCatalog = {
  readonly data: Catalog
  readonly file: string | undefined
  /** Where a setting names it, the place of that. */
  readonly findings: readonly Finding[]
  readonly problems: readonly Problem[]
}

/** The name that a catalogue has in the data directory. */
export const catalogFileName = 'catalog.json'

/**
 * Opens the catalogue that a configuration, as it is written, asks for: the file it names; or else the one in the data
 * directory, where that is newer than the one that is shipped. `readFile` throws as `node:fs` does.
 */
export function openCatalog(content: unknown, readFile: (path: string) => string): OpenedCatalog {
  const shipped = shippedCatalog()
  const usual = { data: shipped, file: undefined, findings: [], problems: [] }
  const section = isObject(content) ? content['catalog'] : undefined
  const named = isObject(section) ? section['file'] : undefined
  if (typeof named === 'string' && named !== '') {
    const { data, told } = readFrom(named, readFile)
    if (data !== undefined) return { ...usual, data, file: named }
    return { ...usual, findings: [{ path: ['catalog', 'file'], told }] }
  }
  const directory = isObject(content)
    ? (content['dataDirectory'] ?? defaultDataDirectory)
    : defaultDataDirectory
  if (typeof directory !== 'string') return usual
  const file = join(directory, catalogFileName)
  const { data, told, isMissing } = readFrom(file, readFile)
  if (data === undefined)
    return isMissing ? usual : { ...usual, problems: [{ source: file, place: '', told }] }
  return data.asOf >= shipped.asOf ? { ...usual, data, file } : usual
}

type Read = { readonly data?: Catalog; readonly told: string; readonly isMissing?: boolean }

function readFrom(path: string, readFile: (path: string) => string): Read {
  try {
    return { data: readCatalog(readFile(path)), told: '' }
  } catch (thrown) {
    if (thrown instanceof CatalogError) {
      const [first = '', ...others] = thrown.problems
      const more = others.length === 0 ? '' : ` (and ${others.length} more)`
      return { told: `found a file that is not a catalogue, expected a catalogue: ${first}${more}` }
    }
    const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined
    if (typeof code !== 'string') throw thrown
    const told = `found ${JSON.stringify(path)}, expected the path of a file that can be read (${code})`
    return { told, isMissing: code === 'ENOENT' || code === 'ENOTDIR' }
  }
}
