import type { JsonObject } from '../../core/model/json/json.ts'

/** Tells one event of a stream, whose fields these are. */
export type Tell = (type: string, fields: JsonObject) => void

/** What every item of a response's output is made with. */
export type ItemParts = {
  /** Makes the items' ids. */
  readonly stem: string
  readonly tell: Tell
  /** Puts the item among the others, and gives its place. */
  readonly place: (item: JsonObject) => number
}
