import { isObject } from '../../core/model/json/json.ts'
import type { Provider } from '../../providers/base/provider.ts'
import { foundText } from '../report/error-text.ts'
import type { Finding } from '../report/problem.ts'

/** A provider of the configuration: its name and type. */
export type Instance = { readonly name: string; readonly provider: Provider }

export type Instances = {
  readonly known: readonly Instance[]
  /** All names in use, including those of invalid providers. */
  readonly names: readonly string[]
  /** The settings of the known providers without their `type`; or the value itself if `providers` is not a section. */
  readonly settings: unknown
  readonly findings: readonly Finding[]
}

/**
 * Finds the type of each provider in the file's `providers`: its `type`, or its name if that is a type. The built-in
 * providers are always included.
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
    findings: read.filter((one) => 'message' in one),
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
    return {
      path,
      message: 'is not a valid name of a provider, expected up to 64 letters, digits, dots, - or _',
    }
  }
  const { type = name, ...settings } = isObject(entry) ? entry : { entry }
  const provider = providers.find((candidate) => candidate.type === type)
  if (builtIn.includes(name) && type !== name) {
    const message = `found ${foundText(type, text)}, expected ${name}: a provider of another type needs another name`
    return { path: [...path, 'type'], message }
  }
  if (provider !== undefined) return { name, provider, settings: isObject(entry) ? settings : (entry ?? {}) }
  const expected = `expected one of ${types.join(', ')}`
  if (entry !== undefined && entry !== null && !isObject(entry)) {
    return {
      path,
      message: `found ${foundText(entry, undefined)}, expected a section with a type, ${expected}`,
    }
  }
  const message =
    isObject(entry) && 'type' in entry
      ? `found ${foundText(type, text)}, ${expected}`
      : `missing, ${expected}`
  return { path: [...path, 'type'], message }
}

const text = { type: 'string' }
