import { X509Certificate } from 'node:crypto'
import { isObject } from '../../core/model/json/json.ts'
import type { Provider } from '../../providers/base/provider.ts'
import type { Config, ProviderSettings } from '../settings.ts'
import { inputShape, outputShape, type Shape } from '../shape.ts'
import { placeOf } from './problem.ts'
import { type CurrentPrices, routeHeadings, routeRows } from './route-report.ts'
import { type SettingRow, settingRows } from './setting-rows.ts'
import { aligned } from './table.ts'

/** A configuration, with its values as written in the file and the environment, without defaults. */
export type WrittenConfig = { readonly config: Config; readonly written: Written }

/** Values as written, with their shape. They contain secrets. */
export type Written = { readonly tree: unknown; readonly shape: Shape }

export type ReportParts = {
  readonly prices?: CurrentPrices
  /** True: print every setting, not only those that differ from the defaults. */
  readonly isWhole?: boolean
  /** True: print the routes, even if they are the catalogue's. */
  readonly showsRoutes?: boolean
}

/**
 * Describes a configuration for people: settings that differ from the defaults, notes on their effect, and the routes.
 * It contains no secret.
 */
export function describeConfig(
  { config, written }: WrittenConfig,
  providers: readonly Provider[],
  { prices = noPrices, isWhole = false, showsRoutes = false }: ReportParts = {},
): string {
  const rows = [
    ...generalRows(config, written, isWhole),
    ...providerRows(config, written, providers, isWhole),
  ]
  const shown = rows.filter(({ isDefault }) => isWhole || !isDefault)
  const parts = [
    [headline(config, shown, isWhole), ...notesOn(config, isWhole)].join('\n'),
    aligned(shown.map(({ place, shown: value }) => [place, value])),
    isWhole || showsRoutes || !config.routing.isDefault
      ? aligned([routeHeadings, ...routeRows(config, prices, isWhole)])
      : '',
  ]
  return parts.filter((part) => part !== '').join('\n\n')
}

const noPrices: CurrentPrices = { find: () => undefined, epochMs: 0 }

function headline(
  { source = 'no file' }: Config,
  { length }: readonly SettingRow[],
  isWhole: boolean,
): string {
  if (isWhole) return `${source}: every setting`
  return length === 0
    ? `${source}: every setting has its default (--all prints them)`
    : `${source}: settings that differ from the defaults (--all prints every setting)`
}

/** Notes on effects that a single setting does not show. */
function notesOn(
  { demo, keys, adminKeys, tls, routing, routes, catalog }: Config,
  isWhole: boolean,
): readonly string[] {
  const isOpen = keys.length + adminKeys.length === 0
  return [
    ...(demo ? ['Nothing is configured, so the simulator answers.'] : []),
    ...(isOpen ? ['No key is required: every caller may use and manage the gateway.'] : []),
    ...(!isOpen && adminKeys.length === 0
      ? ['Management requires a key in auth.adminKeys, and there is none.']
      : []),
    ...(tls === undefined ? [] : [certificateNote(tls.cert)]),
    ...(isWhole || catalog.file !== undefined
      ? [`The catalogue is dated ${catalog.data.asOf} (${catalog.file ?? 'as shipped'}).`]
      : []),
    ...(routing.isDefault && !demo
      ? [`No models are configured, so the catalogue's ${routes.length} routes are in use.`]
      : []),
  ]
}

function certificateNote(cert: string): string {
  const { subjectAltName, validTo } = new X509Certificate(cert)
  return `The certificate is valid for ${subjectAltName ?? 'no name'} until ${validTo}.`
}

/** Rows of all settings except providers, which use their own schemas, and models, which are a table. */
function generalRows(config: Config, written: Written, isWhole: boolean): readonly SettingRow[] {
  const { providers: _providers, models: _models, ...properties } = written.shape.properties ?? {}
  const { providers: _others, models: _routes, ...tree } = isObject(written.tree) ? written.tree : {}
  const decided = isWhole ? { ...tree, ...decidedIn(config, tree) } : tree
  const shape = { ...written.shape, properties }
  const isWritten = new Set(
    settingRows(tree, [shape])
      .filter((row) => !row.isDefault)
      .map(({ place }) => place),
  )
  return settingRows(decided, [shape]).map((row) => ({ ...row, isDefault: !isWritten.has(row.place) }))
}

/** The values of defaults that depend on other settings. */
function decidedIn(
  { dataDirectory, drain, routing: { listed, successors } }: Config,
  tree: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const routes = isObject(tree['routes']) ? tree['routes'] : {}
  return { dataDirectory, drain, routes: { ...routes, listed, successors } }
}

function providerRows(
  { providers: made }: Config,
  written: Written,
  providers: readonly Provider[],
  isWhole: boolean,
): readonly SettingRow[] {
  const tree = isObject(written.tree) ? written.tree['providers'] : undefined
  return made.flatMap((one) => {
    const shapes = shapesOf(one, providers)
    const own = isObject(tree) ? tree[one.name] : undefined
    const rows = settingRows(isWhole ? one.settings : own, shapes)
    const type: SettingRow = { place: 'type', shown: one.type, isDefault: one.name === one.type }
    return [type, ...rows.filter(({ place }) => place !== '')].map((row) => ({
      ...row,
      place: placed(one.name, row.place),
    }))
  })
}

function placed(provider: string, place: string): string {
  return `${placeOf(['providers', provider])}${place.startsWith('[') ? '' : '.'}${place}`
}

function shapesOf({ type }: ProviderSettings, providers: readonly Provider[]): readonly Shape[] {
  const schema = providers.find((provider) => provider.type === type)?.settings
  return schema === undefined ? [] : [inputShape(schema), outputShape(schema)]
}
