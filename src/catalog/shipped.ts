import { readFileSync } from 'node:fs'
import { type Catalog, readCatalog } from './catalog.ts'

/** The catalogue shipped with the gateway. */
export function shippedCatalog(): Catalog {
  return readCatalog(readFileSync(shippedFile, 'utf8'))
}

const shippedFile = new URL('catalog.json', import.meta.url)
