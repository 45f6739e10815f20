import { isObject, type JsonObject } from '../../core/model/json/json.ts'
import { type Path, placeOf } from '../report/problem.ts'
import { optionVariables, variables } from './environment.ts'
import type { Environment } from './substitution.ts'
import type { OptionalProvider, Variable } from './variable.ts'

/** The file's content with what the environment sets, and which variable each of those settings is from. */
export type Overlaid = { readonly content: unknown; readonly origins: ReadonlyMap<string, Variable> }

/**
 * Lays the environment over the file's content: for the same setting, the environment wins. A variable of a provider
 * whose type is not among `types`, or that is of another type in the file, is no setting here.
 */
export function applyEnvironment(
  content: unknown,
  environment: Environment,
  types: ReadonlySet<string>,
): Overlaid {
  const origins = new Map<string, Variable>()
  let laid = content
  for (const variable of [...variables, ...optionVariables]) {
    const text = environment[variable.name]
    if (text === undefined || text === '') continue
    if (variable.of !== undefined && !isThere(variable.of, content, environment, types)) continue
    if (variable.yields && isGiven(at(content, variable.path))) continue
    const value = variable.convert === undefined ? text : variable.convert(text)
    for (const path of [variable.path, ...(variable.followers ?? [])]) {
      if (path !== variable.path && at(laid, path) !== undefined) continue
      laid = put(laid, path, value)
      for (const place of placesIn(value, path)) origins.set(placeOf(place), variable)
    }
  }
  return { content: laid, origins }
}

/** The place of a value, and those of all that it holds. */
function placesIn(value: unknown, path: Path): readonly Path[] {
  const inner = Array.isArray(value) ? [...value.entries()] : isObject(value) ? Object.entries(value) : []
  return [path, ...inner.flatMap(([key, held]) => placesIn(held, [...path, key]))]
}

function isGiven(setting: unknown): boolean {
  return setting !== undefined && setting !== null && !(Array.isArray(setting) && setting.length === 0)
}

/** It is written in the file, or the environment has all it needs. */
function isThere(
  { name, needs }: OptionalProvider,
  content: unknown,
  environment: Environment,
  types: ReadonlySet<string>,
): boolean {
  if (!types.has(name)) return false
  const written = at(content, ['providers', name])
  if (isObject(written)) return (written['type'] ?? name) === name
  return needs.every((variable) => environment[variable])
}

function at(content: unknown, path: Path): unknown {
  return path.reduce<unknown>((inner, key) => (isObject(inner) ? inner[key] : undefined), content)
}

/** Where the file has something else than a section on the way, that is left for the schema to refuse. */
function put(content: unknown, [key, ...rest]: Path, value: unknown): unknown {
  if (key === undefined) return value
  if (content !== undefined && content !== null && !isObject(content)) return content
  const section: JsonObject = content ?? {}
  return { ...section, [key]: put(section[key], rest, value) }
}
