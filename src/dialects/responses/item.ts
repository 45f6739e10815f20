import type { JsonObject } from '../../core/model/json/json.ts'

/** Sends one event of a stream with these fields. */
export type SendEvent = (type: string, fields: JsonObject) => void

/** The parts that every output item needs. */
export type ItemParts = {
  /** The common part of the items' ids. */
  readonly stem: string
  readonly send: SendEvent
  /** Appends the item to the output, and returns its index. */
  readonly place: (item: JsonObject) => number
}
