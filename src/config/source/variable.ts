import type { JsonObject } from '../../core/model/json/json.ts'
import type { Path } from '../report/problem.ts'

/** A variable, or an option of the command, that stands for a setting and wins over the file's. */
export type Variable = {
  readonly name: string
  /** The setting it stands for. */
  readonly path: Path
  /** Settings that follow it where the file does not give them. */
  readonly followers?: readonly Path[]
  /** What the setting gets: its unit in the setting's (NaN when it cannot be that), or a list. */
  readonly convert?: (
    text: string,
  ) => number | string | readonly string[] | JsonObject | readonly JsonObject[]
  /** The file wins where it gives the setting. */
  readonly yields?: boolean
  /** What belongs in it, where that is not what belongs in the setting. */
  readonly expected?: string
  /** The provider it is a setting of, where that is not always there. */
  readonly of?: OptionalProvider
}

/** A provider that is there once all that it cannot do without is in the environment. */
export type OptionalProvider = { readonly name: string; readonly needs: readonly string[] }
