import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { CatalogError, catalogText, checkedCatalog } from '../../catalog/catalog.ts'
import { dateAt } from '../../catalog/day.ts'
import { type CatalogChange, type CatalogUpdate, updateCatalog } from '../../catalog/update.ts'
import { type Config, catalogFileName } from '../../config.ts'
import { defineCommand, type Given } from '../command.ts'
import { configOptions } from '../config-options.ts'
import { readConfig } from '../read-config.ts'
import { readSources, usualSources } from './sources.ts'

const options = {
  write: { does: 'write the catalogue; without it, only show the difference' },
  accept: { does: 'also accept changes of more than a factor of 3, or to zero' },
  provider: { value: 'NAME', does: 'only this provider; may be repeated', isRepeatable: true },
  ...configOptions,
} as const

export const catalogUpdate = defineCommand({
  name: 'catalog update',
  does: 'merge models and prices from sources into the catalogue, and show the difference',
  about:
    'Reads our own format, models.dev’s api.json and LiteLLM’s model_prices_and_context_window.json. Two sources that ' +
    'agree confirm a price. Writes catalog.json in the data directory, or the file of catalog.file. Exits with 1 ' +
    'if a change needs --accept, or the sources disagree.',
  operands: [
    {
      name: 'FILE|URL',
      does: 'sources, comma-separated (default: models.dev and LiteLLM)',
      isOptional: true,
    },
  ],
  options,
  run: ({ operands: [places], options: given }) => update(places?.split(',') ?? usualSources, given),
})

async function update(places: readonly string[], given: Given<typeof options>): Promise<number> {
  const { write, accept, provider: providers, ...overrides } = given
  const config = readConfig(overrides)
  try {
    const sources = await readSources(places)
    const today = dateAt(Date.now())
    const found = updateCatalog(config.catalog.data, sources, { today, accepts: accept === true, providers })
    process.stdout.write(report(found))
    if (write === true && found.catalog !== config.catalog.data) {
      process.stdout.write(`\nWrote ${writeCatalog(config, found)}.\n`)
    }
    return found.changes.some(({ isHeld }) => isHeld) ? 1 : 0
  } catch (thrown) {
    if (!(thrown instanceof CatalogError)) throw thrown
    process.stderr.write(thrown.message)
    return 1
  }
}

const headings = {
  added: 'New',
  repriced: 'Another price',
  retired: 'Retired',
  disputed: 'The sources disagree',
  confirmed: 'Confirmed',
} as const satisfies Record<CatalogChange['type'], string>

function report({ changes }: CatalogUpdate): string {
  if (changes.length === 0) return 'Nothing has changed.\n'
  const parts = Object.entries(headings).flatMap(([type, heading]) => {
    const own = changes.filter((change) => change.type === type)
    const lines = own.map(({ provider, model, description, isHeld }) => {
      const held = isHeld && type === 'repriced' ? '  HELD: pass --accept to apply it' : ''
      return `  ${provider}  ${model}  ${description}${held}\n`
    })
    return own.length === 0 ? [] : [`${heading} (${own.length})\n${lines.join('')}`]
  })
  return parts.join('\n')
}

/** Writes the catalogue atomically. Returns the path. */
function writeCatalog({ catalog: { file }, dataDirectory }: Config, { catalog }: CatalogUpdate): string {
  const path = file ?? join(dataDirectory, catalogFileName)
  const text = catalogText(checkedCatalog({ format: 'pandotate-catalog', version: 1, ...catalog }))
  mkdirSync(dirname(path), { recursive: true })
  const draft = `${path}.${process.pid}`
  writeFileSync(draft, text)
  renameSync(draft, path)
  return path
}
