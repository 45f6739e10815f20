import { join } from 'node:path'
import * as z from 'zod'
import { type Catalog, CatalogError, readCatalog } from '../../catalog/catalog.ts'
import { shippedCatalog } from '../../catalog/shipped.ts'
import { isObject } from '../../core/model/json/json.ts'
import type { Finding, Problem } from '../report/problem.ts'
import { defaultDataDirectory } from '../source/data-directory.ts'

/** The catalogue of models and prices, and how it is kept up to date. */
export type CatalogSettings = {
  readonly data: Catalog
  /** The file that was read; undefined: the shipped catalogue. */
  readonly file: string | undefined
  /** True: providers are queried for their lists of models. */
  readonly lists: boolean
  /** The interval between two requests for a list. */
  readonly everyMs: number
  /** A price that was last read longer ago is not firm. */
  readonly maxPriceAgeDays: number
}

export const catalogSetting = z
  .strictObject({
    /** Empty: the catalogue in the data directory if it is newer, otherwise the shipped one. */
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

/** Routing of names that have no route. */
export const routesSetting = z
  .strictObject({
    /** Routes a model that a provider lists to that provider, by its full name. Default: true without `models`. */
    listed: z.boolean().exactOptional(),
    /** Routes a name whose model is gone to its successor in the catalogue. */
    successors: z.boolean().default(false),
  })
  .prefault({})

/** The catalogue in use, and the problems of its file. */
export type OpenedCatalog = {
  readonly data: Catalog
  readonly file: string | undefined
  /** Problems of a file that a setting names. */
  readonly findings: readonly Finding[]
  readonly problems: readonly Problem[]
}

/** The file name of the catalogue in the data directory. */
export const catalogFileName = 'catalog.json'

/**
 * Opens the catalogue of a configuration: the file that it names, or else the one in the data directory if it is newer
 * than the shipped one, or else the shipped one. `readFile` throws as `node:fs` does.
 */
export function openCatalog(content: unknown, readFile: (path: string) => string): OpenedCatalog {
  const shipped = shippedCatalog()
  const shippedOnly = { data: shipped, file: undefined, findings: [], problems: [] }
  const section = isObject(content) ? content['catalog'] : undefined
  const named = isObject(section) ? section['file'] : undefined
  if (typeof named === 'string' && named !== '') {
    const { data, message } = readFrom(named, readFile)
    if (data !== undefined) return { ...shippedOnly, data, file: named }
    return { ...shippedOnly, findings: [{ path: ['catalog', 'file'], message }] }
  }
  const directory = isObject(content)
    ? (content['dataDirectory'] ?? defaultDataDirectory)
    : defaultDataDirectory
  if (typeof directory !== 'string') return shippedOnly
  const file = join(directory, catalogFileName)
  const { data, message, isMissing } = readFrom(file, readFile)
  if (data === undefined)
    return isMissing ? shippedOnly : { ...shippedOnly, problems: [{ source: file, place: '', message }] }
  return data.asOf >= shipped.asOf ? { ...shippedOnly, data, file } : shippedOnly
}

type ReadResult = { readonly data?: Catalog; readonly message: string; readonly isMissing?: boolean }

function readFrom(path: string, readFile: (path: string) => string): ReadResult {
  try {
    return { data: readCatalog(readFile(path)), message: '' }
  } catch (thrown) {
    if (thrown instanceof CatalogError) {
      const [first = '', ...others] = thrown.problems
      const more = others.length === 0 ? '' : ` (and ${others.length} more)`
      return { message: `found a file that is not a catalogue, expected a catalogue: ${first}${more}` }
    }
    const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined
    if (typeof code !== 'string') throw thrown
    const message = `found ${JSON.stringify(path)}, expected the path of a file that can be read (${code})`
    return { message, isMissing: code === 'ENOENT' || code === 'ENOTDIR' }
  }
}
