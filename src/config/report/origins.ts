import { isObject } from '../../core/model/json/json.ts'
import { type Shape, shapeAt, typesOf } from '../shape.ts'
import type { Overlaid } from '../source/env-overrides.ts'
import { isOption } from '../source/environment.ts'
import type { ConfigSource } from '../source/source.ts'
import { masked, withoutCredentials } from './error-text.ts'
import { type Path, placeOf } from './problem.ts'

/** The origin of a setting's value. */
export type Origin = {
  readonly from: 'file' | 'environment' | 'command line' | 'default'
  /** The path of the file as configured, and the line in it. */
  readonly file?: string | undefined
  readonly line?: number | undefined
  /** The environment variable, or the option of the command. */
  readonly variable?: string | undefined
}

/** A setting in effect. Secrets are masked. */
export type EffectiveSetting = Origin & {
  /** `limits.deadlineMs` */
  readonly place: string
  readonly value: Shown | readonly Shown[]
  readonly isSecret: boolean
}

export type Shown = string | number | boolean | null

export type Origins = {
  readonly settings: readonly EffectiveSetting[]
  /** The origins of declared keys and teams, by `key:` and the key's id, or `team:` and the name. */
  readonly declared: Readonly<Record<string, Origin>>
}

export type OriginParts = {
  readonly source: Pick<ConfigSource, 'content' | 'path' | 'lineOf'>
  readonly overlaid: Pick<Overlaid, 'origins'>
  /** The shape of the whole configuration. */
  readonly shape: Shape
  /** The values from the file and the environment, and the same with defaults. */
  readonly written: unknown
  readonly taken: unknown
}

/** Every setting in effect with its origin, in the order of the schema. */
export function effectiveSettings({
  shape,
  written,
  taken,
  ...parts
}: OriginParts): readonly EffectiveSetting[] {
  const paths = [...leavesOf(written), ...leavesOf(taken).filter((path) => isKnown(path, shape))]
  const places = new Map(paths.map((path) => [placeOf(path), path]))
  const sections = Object.keys(shape.properties ?? {})
  const rank = ([first]: Path) => sections.indexOf(String(first))
  return [...places]
    .toSorted(([, one], [, other]) => rank(one) - rank(other))
    .map(([place, path]) => ({
      place,
      ...shownAt(path, at(written, path) ?? at(taken, path), shape),
      ...originOf(path, parts),
    }))
}

/** The origin of the value at a path. */
export function originOf(path: Path, { source, overlaid }: Pick<OriginParts, 'source' | 'overlaid'>): Origin {
  const variable = overlaid.origins.get(placeOf(path))?.name
  if (variable !== undefined) return { from: isOption(variable) ? 'command line' : 'environment', variable }
  if (at(source.content, path) === undefined) return { from: 'default' }
  return { from: 'file', file: source.path, line: source.lineOf(path) }
}

/** The paths of all settings. A list of plain values is one setting. */
function leavesOf(value: unknown, path: Path = []): readonly Path[] {
  if (Array.isArray(value) && value.some((item) => typeof item === 'object' && item !== null)) {
    return value.flatMap((item, index) => leavesOf(item, [...path, index]))
  }
  if (!isObject(value)) return value === undefined ? [] : [path]
  return Object.entries(value).flatMap(([key, inner]) => leavesOf(inner, [...path, key]))
}

/** False for values that only a transformation of the schema adds. */
function isKnown(path: Path, shape: Shape): boolean {
  const found = shapeAt(shape, path)
  return typesOf(found).some((type) => type !== 'object') || found?.enum !== undefined
}

function shownAt(path: Path, value: unknown, shape: Shape): Pick<EffectiveSetting, 'value' | 'isSecret'> {
  if (Array.isArray(value)) {
    const shown = value.map((item, index) => shownAt([...path, index], item, shape))
    return { value: shown.flatMap((one) => one.value as Shown), isSecret: shown.some((one) => one.isSecret) }
  }
  const found = shapeAt(shape, path)
  if (isSecretShape(found)) return { value: value === null ? null : masked(String(value)), isSecret: true }
  if (typeof value === 'number' || typeof value === 'boolean' || value === null)
    return { value, isSecret: false }
  const isText = typesOf(found).includes('string') || found?.enum !== undefined || found?.const !== undefined
  if (typeof value === 'string' && isText) return { value: withoutCredentials(value), isSecret: false }
  return { value: masked(String(value)), isSecret: true }
}

/** True for a secret, also if a section is allowed instead of it. */
function isSecretShape(shape: Shape | undefined): boolean {
  return shape?.secret === true || [...(shape?.anyOf ?? []), ...(shape?.oneOf ?? [])].some(isSecretShape)
}

function at(content: unknown, path: Path): unknown {
  return path.reduce<unknown>((inner, key) => (inner as Record<string, unknown> | undefined)?.[key], content)
}
