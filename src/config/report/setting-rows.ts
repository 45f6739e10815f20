import { isDeepStrictEqual } from 'node:util'
import { isObject } from '../../core/model/json/json.ts'
import { type Shape, shapeAt, typesOf } from '../shape.ts'
import { isSecret, masked, withoutCredentials } from './error-text.ts'
import { type Path, placeOf } from './problem.ts'

/** One setting, by its name in gateway.yaml: `server.port`. */
export type SettingRow = {
  readonly place: string
  /** The value for display. It contains no secret. */
  readonly shown: string
  readonly isDefault: boolean
}

/** The settings below a path, written or default. `shapes` define defaults, types and secrets. */
export function settingRows(
  written: unknown,
  shapes: readonly Shape[],
  path: Path = [],
): readonly SettingRow[] {
  return rowsBelow(written, undefined, path, shapes)
}

function rowsBelow(
  written: unknown,
  parentDefault: unknown,
  path: Path,
  shapes: readonly Shape[],
): readonly SettingRow[] {
  const here = shapes.flatMap((shape) => shapeAt(shape, path) ?? [])
  const defaultValue = parentDefault ?? here.find((shape) => shape.default !== undefined)?.default
  const inner = innerNames(written, here)
  if (inner !== undefined && !here.some(({ secret }) => secret)) {
    return inner.flatMap((name) =>
      rowsBelow(member(written, name), member(defaultValue, name), [...path, name], shapes),
    )
  }
  const value = written ?? defaultValue
  const isDefault = isNothing(written) || isDeepStrictEqual(written, defaultValue)
  return [{ place: placeOf(path), shown: shownAt(value, path, shapes), isDefault }]
}

/** The keys of a section or a list of sections; undefined for a single setting. */
function innerNames(written: unknown, shapes: readonly Shape[]): readonly (string | number)[] | undefined {
  if (Array.isArray(written)) return written.some(isObject) ? [...written.keys()] : undefined
  if (!isNothing(written) && !isObject(written)) return undefined
  const names = new Set([
    ...shapes.flatMap(({ properties }) => Object.keys(properties ?? {})),
    ...Object.keys(written ?? {}),
  ])
  return names.size === 0 ? undefined : [...names]
}

function member(value: unknown, name: string | number): unknown {
  if (Array.isArray(value)) return value[Number(name)]
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined
}

function isNothing(value: unknown): boolean {
  return value === undefined || value === null
}

/** A setting's value for display. Text is shown only if a schema knows it and none marks it as a secret. */
export function shownAt(value: unknown, path: Path, shapes: readonly Shape[]): string {
  if (isNothing(value) || value === '') return 'not set'
  if (Array.isArray(value)) {
    const items = value.map((item, index) => shownAt(item, [...path, index], shapes))
    return items.length === 0 ? 'none' : items.join(', ')
  }
  if (isObject(value)) {
    const entries = Object.entries(value).map(
      ([key, item]) => `${key} ${shownAt(item, [...path, key], shapes)}`,
    )
    return entries.length === 0 ? 'none' : entries.join(', ')
  }
  const shapesHere = shapes.flatMap((shape) => shapeAt(shape, path) ?? [])
  if (shapesHere.some(isSecret)) return masked(String(value))
  if (typeof value !== 'string') return String(value)
  return shapesHere.some((shape) => typesOf(shape).includes('string') || shape.enum !== undefined)
    ? withoutCredentials(value)
    : masked(value)
}
