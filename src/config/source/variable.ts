import type { JsonObject } from '../../core/model/json/json.ts'
import type { Path } from '../report/problem.ts'

/** An environment variable or an option of the command that overrides a setting of the file. */
export type Variable = {
  readonly name: string
  /** The path of the setting. */
  readonly path: Path
  /** Further settings that get the same value, unless the file sets them. */
  readonly followers?: readonly Path[]
  /** Converts the text to the setting's value: to its unit (NaN if invalid), or to a list. */
  readonly convert?: (
    text: string,
  ) => number | string | readonly string[] | JsonObject | readonly JsonObject[]
  /** True: the file takes precedence. */
  readonly fileTakesPrecedence?: boolean
  /** The expected text, if it differs from the setting's. */
  readonly expected?: string
  /** The provider that has this setting, if it is optional. */
  readonly of?: OptionalProvider
}

/** A provider that is added if the environment has all variables that it needs. */
export type OptionalProvider = { readonly name: string; readonly needs: readonly string[] }
