import type { JsonObject } from '../../core/model/json/json.ts'

/** Sends one event of a stream with these fields. */
export type Tell = (type: string, fields: JsonObject) => void

/** What every output item is made with. */
export type ItemParts = {
  /** The stem of the items' ids. */
  readonly stem: string
  readonly tell: Tell
  /** Appends the item to the output, and returns its index. */
  readonly place: (item: JsonObject) => number
}
