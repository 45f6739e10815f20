import type { Relay, RelayReply } from '../model/call.ts'
import { Failure } from '../model/failure.ts'
import { isObject, type JsonObject, nearest, numberOf } from '../model/json/json.ts'
import { JsonText } from '../model/json/json-text.ts'

/**
 * Splits a call for embeddings into calls of at most `limit` texts each, in order; returns the call itself if one is
 * enough.
 */
export function splitInputs(call: Relay, limit: number): readonly [Relay, ...Relay[]] {
  const { input } = call.body.value
  if (!isSeveral(input) || input.length <= limit) return [call]
  const part = (from: number): Relay => {
    return { ...call, body: JsonText.of({ ...call.body.value, input: input.slice(from, from + limit) }) }
  }
  const starts = Array.from({ length: Math.ceil(input.length / limit) - 1 }, (_, at) => (at + 1) * limit)
  return [part(0), ...starts.map(part)]
}

/**
 * Validates an answer to a call for embeddings: one vector per text, in the texts' order, encoded as the caller asked.
 * Throws `invalid_response` if the upstream's answer cannot be brought into that form, and `unsupported` if its vectors
 * have another length than requested: not every server supports `dimensions`, or says so.
 */
export function validateEmbeddings(reply: RelayReply, call: Relay): RelayReply {
  const body = reply.value
  const { input, encoding_format: format, dimensions } = call.body.value
  const count = isSeveral(input) ? input.length : 1
  const rows = body['data']
  if (isForeign(body)) return reply
  if (!Array.isArray(rows) || rows.length !== count)
    throw unreadable('as many embeddings as there were texts')
  const data = ordered(rows)
  const settled = data.map((row) => written(row, format === 'base64'))
  if (typeof dimensions === 'number' && settled.some((row) => (lengthOf(row) ?? dimensions) !== dimensions)) {
    throw ofOtherLength(dimensions)
  }
  const model = typeof body['model'] === 'string' && body['model'] !== '' ? body['model'] : call.model
  const isAsSent =
    body['object'] === 'list' && body['model'] === model && settled.every((row, at) => row === rows[at])
  return isAsSent ? reply : JsonText.of({ ...body, object: 'list', data: settled, model })
}

/** Joins the answers to the parts of one call; fields other than the vectors come from the first. */
export function joinEmbeddings(replies: readonly [RelayReply, ...RelayReply[]]): RelayReply {
  const [first] = replies
  if (replies.length === 1) return first
  const rows = replies.flatMap(({ value: { data } }) => {
    if (!Array.isArray(data)) throw unreadable('embeddings that can be joined')
    return data as readonly JsonObject[]
  })
  const data = rows.map((row, index) => ({ ...row, index }))
  return JsonText.of({ ...first.value, data })
}

/** True for several texts or several lists of token ids; one list of ids is one text. */
function isSeveral(input: unknown): input is readonly unknown[] {
  return Array.isArray(input) && typeof input[0] !== 'number'
}

/** Sorted by index, if they have one: each index may occur once. */
function ordered(rows: readonly unknown[]): readonly JsonObject[] {
  const places = new Map<unknown, JsonObject>()
  for (const [at, row] of rows.entries()) {
    if (isObject(row))
      places.set(row['index'] ?? at, row['index'] === undefined ? { ...row, index: at } : row)
  }
  return rows.map((_, at) => {
    const row = places.get(at)
    if (row === undefined) throw unreadable('one embedding for each text')
    return row
  })
}

/** Vectors outside `data` are forwarded: they were paid for, and the caller may know the format. */
function isForeign({
  data,
  object: _object,
  model: _model,
  usage: _usage,
  id: _id,
  ...rest
}: JsonObject): boolean {
  return data === undefined && Object.values(rest).some((value) => Array.isArray(value) || isObject(value))
}

/** The row itself if it is valid, or if its format is unknown. */
function written(row: JsonObject, inBase64: boolean): JsonObject {
  const { embedding } = row
  const isText = typeof embedding === 'string'
  if (!isText && !isVector(embedding)) {
    if (!isNested(embedding)) throw unreadable('an embedding for each text')
    return row
  }
  if (isText === inBase64 && row['object'] === 'embedding') return row
  const vector = isText
    ? inBase64
      ? embedding
      : unpacked(embedding)
    : inBase64
      ? packed(embedding)
      : embedding
  return vector === undefined ? row : { ...row, object: 'embedding', embedding: vector }
}

/** One vector per token, or one per encoding. */
function isNested(embedding: unknown): boolean {
  if (isObject(embedding)) return Object.keys(embedding).length > 0
  return Array.isArray(embedding) && embedding.length > 0 && embedding.every((each) => Array.isArray(each))
}

/** The length of a row's vector; undefined if its format is unknown. */
function lengthOf({ embedding }: JsonObject): number | undefined {
  if (typeof embedding === 'string') {
    const length = Buffer.byteLength(embedding, 'base64') / 4
    return Number.isInteger(length) ? length : undefined
  }
  return isVector(embedding) ? embedding.length : undefined
}

function ofOtherLength(dimensions: number): Failure {
  return new Failure('unsupported', `This upstream does not offer embeddings of ${dimensions} dimensions.`, {
    param: 'dimensions',
    mayBeBilled: true,
  })
}

function isVector(value: unknown): value is readonly unknown[] {
  return Array.isArray(value) && value.length > 0 && value.every((each) => Number.isFinite(nearest(each)))
}

/** Base64 of little-endian 32-bit floats, as OpenAI's own clients read. */
function packed(vector: readonly unknown[]): string {
  const bytes = Buffer.alloc(vector.length * 4)
  for (const [at, value] of vector.entries()) bytes.writeFloatLE(numberOf(nearest(value)), at * 4)
  return bytes.toString('base64')
}

/** Undefined if it holds another type: bytes, or bits. */
function unpacked(text: string): readonly number[] | undefined {
  const bytes = Buffer.from(text, 'base64')
  const vector = Array.from({ length: Math.floor(bytes.length / 4) }, (_, at) => bytes.readFloatLE(at * 4))
  return bytes.length % 4 === 0 && isVector(vector) ? (vector as readonly number[]) : undefined
}

function unreadable(expected: string): Failure {
  return new Failure('invalid_response', `The upstream did not give ${expected}.`)
}
