import { isObject, type JsonObject } from '../../core/model/json/json.ts'
import { type Path, placeOf } from '../report/problem.ts'
import { optionVariables, variables } from './environment.ts'
import type { Environment } from './substitution.ts'
import type { OptionalProvider, Variable } from './variable.ts'

/** The file's content with the settings of the environment, and the variable of each such setting. */
export type Overlaid = { readonly content: unknown; readonly origins: ReadonlyMap<string, Variable> }

/**
 * Applies the environment to the file's content; the environment takes precedence. A variable of a provider is ignored
 * if its type is not among `types`, or if the provider has another type in the file.
 */
export function applyEnvironment(
  content: unknown,
  environment: Environment,
  types: ReadonlySet<string>,
): Overlaid {
  const origins = new Map<string, Variable>()
  let result = content
  for (const variable of [...variables, ...optionVariables]) {
    const text = environment[variable.name]
    if (text === undefined || text === '') continue
    if (variable.of !== undefined && !isConfigured(variable.of, content, environment, types)) continue
    if (variable.fileTakesPrecedence && isGiven(at(content, variable.path))) continue
    const value = variable.convert === undefined ? text : variable.convert(text)
    for (const path of [variable.path, ...(variable.followers ?? [])]) {
      if (path !== variable.path && at(result, path) !== undefined) continue
      result = put(result, path, value)
      for (const place of placesIn(value, path)) origins.set(placeOf(place), variable)
    }
  }
  return { content: result, origins }
}

/** The paths of a value and of everything inside it. */
function placesIn(value: unknown, path: Path): readonly Path[] {
  const inner = Array.isArray(value) ? [...value.entries()] : isObject(value) ? Object.entries(value) : []
  return [path, ...inner.flatMap(([key, held]) => placesIn(held, [...path, key]))]
}

function isGiven(setting: unknown): boolean {
  return setting !== undefined && setting !== null && !(Array.isArray(setting) && setting.length === 0)
}

/** True if the file has the provider, or the environment has all variables that it needs. */
function isConfigured(
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

/**
 * Sets the value at a path. If the file has a value that is not a section on the way, it is kept for the schema to
 * refuse.
 */
function put(content: unknown, [key, ...rest]: Path, value: unknown): unknown {
  if (key === undefined) return value
  if (content !== undefined && content !== null && !isObject(content)) return content
  const section: JsonObject = content ?? {}
  return { ...section, [key]: put(section[key], rest, value) }
}
