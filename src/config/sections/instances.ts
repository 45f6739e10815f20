import { isObject } from '../../core/model/json/json.ts'
import type { Provider } from '../../providers/base/provider.ts'
import { finding } from '../report/error-text.ts'
import type { Finding } from '../report/problem.ts'

/** A provider of the configuration: a name, and what kind of upstream it is. */
export type Instance = { readonly name: string; readonly provider: Provider }

export type Instances = {
  readonly known: readonly Instance[]
  /** All names that are in use, those of providers that are not well defined included. */
  readonly names: readonly string[]
  /** The settings of the known ones, each without its `type`; a section that is none, as it stands. */
  readonly settings: unknown
  readonly findings: readonly Finding[]
}

/**
 * Finds the kind of each provider in the file's `providers`: its `type`, or its own name when that is a type. The
 * built-in ones are there whether the file names them or not.
 */
export function findInstances(section: unknown, providers: readonly Provider[]): Instances {
  if (section !== undefined && section !== null && !isObject(section)) {
    return { known: [], names: builtIn, settings: section, findings: [] }
  }
  const written = new Map(Object.entries(section ?? {}))
  const names = [...new Set([...builtIn, ...written.keys()])]
  const read = names.map((name) => readInstance(name, written.get(name), providers))
  const known = read.filter((one) => 'provider' in one)
  return {
    known,
    names,
    settings: Object.fromEntries(known.map(({ name, settings }) => [name, settings])),
    findings: read.filter((one) => 'told' in one),
  }
}

const builtIn = ['pandotate', 'simulator']

function readInstance(
  name: string,
  entry: unknown,
  providers: readonly Provider[],
): (Instance & { readonly settings: unknown }) | Finding {
  const path = ['providers', name]
  const types = providers.map(({ type }) => type)
  if (!/^[a-z0-9][a-z0-9._-]{0,63}$/i.test(name)) {
    return { path, told: 'is not a name for a provider, expected up to 64 letters, digits, dots, - or _' }
  }
  const { type = name, ...settings } = isObject(entry) ? entry : { entry }
  const provider = providers.find((candidate) => candidate.type === type)
  if (builtIn.includes(name) && type !== name) {
    const told = `found ${finding(type, text)}, expected ${name}: a provider of another type needs another name`
    return { path: [...path, 'type'], told }
  }
  if (provider !== undefined) return { name, provider, settings: isObject(entry) ? settings : (entry ?? {}) }
  const expected = `expected one of ${types.join(', ')}`
  if (entry !== undefined && entry !== null && !isObject(entry)) {
    return { path, told: `found ${finding(entry, undefined)}, expected a section with a type, ${expected}` }
  }
  const told =
    isObject(entry) && 'type' in entry ? `found ${finding(type, text)}, ${expected}` : `missing, ${expected}`
  return { path: [...path, 'type'], told }
}

const text = { type: 'string' }
