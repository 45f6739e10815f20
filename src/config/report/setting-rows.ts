import { isDeepStrictEqual } from 'node:util'
import { isObject } from '../../core/model/json/json.ts'
import { type Shape, shapeAt, typesOf } from '../shape.ts'
import { isSecret, masked, withoutCredentials } from './error-text.ts'
import { type Path, placeOf } from './problem.ts'

/** One setting by its own name, as gateway.yaml has it: `server.port`. */
export type SettingRow = {
  readonly place: string
  /** For people: no secret. */
  readonly shown: string
  readonly isDefault: boolean
}

/** What is written below a place, and what else may be: `shapes` say what is a default, a text and a secret. */
export function settingRows(
  written: unknown,
  shapes: readonly Shape[],
  path: Path = [],
): readonly SettingRow[] {
  return rowsBelow(written, undefined, path, shapes)
}

function rowsBelow(
  written: unknown,
  usual: unknown,
  path: Path,
  shapes: readonly Shape[],
): readonly SettingRow[] {
  const here = shapes.flatMap((shape) => shapeAt(shape, path) ?? [])
  const otherwise = usual ?? here.find((shape) => shape.default !== undefined)?.default
  const inner = innerNames(written, here)
  if (inner !== undefined && !here.some(({ secret }) => secret)) {
    return inner.flatMap((name) =>
      rowsBelow(member(written, name), member(otherwise, name), [...path, name], shapes),
    )
  }
  const value = written ?? otherwise
  const isDefault = isNothing(written) || isDeepStrictEqual(written, otherwise)
  return [{ place: placeOf(path), shown: shownAt(value, path, shapes), isDefault }]
}

/** Of a section, and of a list of sections; undefined for what is one setting. */
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

/** A setting's value. A text is shown only where a schema says what it is, and none says that it is a secret. */
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
  const said = shapes.flatMap((shape) => shapeAt(shape, path) ?? [])
  if (said.some(isSecret)) return masked(String(value))
  if (typeof value !== 'string') return String(value)
  return said.some((shape) => typesOf(shape).includes('string') || shape.enum !== undefined)
    ? withoutCredentials(value)
    : masked(value)
}
