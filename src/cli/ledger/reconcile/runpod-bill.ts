import { isObject, type JsonObject } from '../../../core/model/json/json.ts'
import { nanoOf } from './amounts.ts'
import { type BillRow, dayOf } from './bill.ts'
import { UnreadableBill } from './unreadable-bill.ts'

/**
 * The rows of `GET /v2/billing/serverless`, as RunPod documents them (docs.runpod.io/api-reference-v2/billing). Throws
 * UnreadableBill with the name of a missing field, because an unreadable amount must not count as zero.
 */
export function readServerlessBill(answer: unknown): readonly BillRow[] {
  const { records, metadata } = objectAt(answer, 'the answer')
  if (!Array.isArray(records)) throw notDocumented('records', records, 'an array')
  const { recordCount } = objectAt(metadata, 'metadata')
  if (typeof recordCount !== 'number') throw notDocumented('metadata.recordCount', recordCount, 'a number')
  if (recordCount !== records.length)
    throw new UnreadableBill(`RunPod’s bill holds ${records.length} of ${recordCount} records.`)
  const fields = { day: 'startTime', name: 'serverlessId', amount: 'totalAmount' }
  return records.map((record, at) => rowOf(record, `records[${at}]`, fields))
}

/**
 * The rows of `GET /v1/billing/endpoints`, grouped by endpoint (docs.runpod.io/api-reference/billing). Throws
 * UnreadableBill.
 */
export function readEndpointsBill(answer: unknown): readonly BillRow[] {
  if (!Array.isArray(answer)) throw notDocumented('the answer', answer, 'an array')
  const fields = { day: 'time', name: 'endpointId', amount: 'amount' }
  return answer.map((record, at) => rowOf(record, `[${at}]`, fields))
}

type Fields = { readonly day: string; readonly name: string; readonly amount: string }

function rowOf(record: unknown, place: string, fields: Fields): BillRow {
  const row = objectAt(record, place)
  const [day, name, amount] = [row[fields.day], row[fields.name], row[fields.amount]]
  if (typeof day !== 'string') throw notDocumented(`${place}.${fields.day}`, day, 'a text')
  if (typeof name !== 'string') throw notDocumented(`${place}.${fields.name}`, name, 'a text')
  if (typeof amount !== 'number') throw notDocumented(`${place}.${fields.amount}`, amount, 'a number')
  return { day: dayOf(day, place), name, nanoUsd: nanoOf(amount, place) }
}

function objectAt(value: unknown, place: string): JsonObject {
  if (isObject(value)) return value
  throw notDocumented(place, value, 'an object')
}

function notDocumented(place: string, found: unknown, expected: string): UnreadableBill {
  const fault = found === undefined ? 'is missing' : `is not ${expected}`
  return new UnreadableBill(
    `RunPod’s bill differs from its documentation: ${place} ${fault}. Nothing was compared.`,
  )
}
