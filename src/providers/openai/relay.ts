import { holdsTokenIds, inWords } from '../../core/adapt/token-ids.ts'
import type { Relay } from '../../core/model/call.ts'
import { Failure } from '../../core/model/failure.ts'
import { isObject, type JsonObject, spell } from '../../core/model/json/json.ts'
import { JsonText } from '../../core/model/json/json-text.ts'
import type { Attempt, AttemptNotes, Detokenizer, Upstream } from '../../core/model/ports.ts'
import type { RelayKind } from '../../core/model/terms.ts'
import type { ReadError } from '../http-error/openai-error.ts'
import type { Wire } from '../wire/wire.ts'
import { parseAnswer, type WireAnswer } from '../wire/wire-answer.ts'
import { renamed, without } from './request.ts'
import { replyBytes } from './stream.ts'

/** Deviations of a server's embeddings from OpenAI's. */
export type RelayQuirks = {
  readonly renames?: Readonly<Record<string, string>>
  readonly drops?: readonly string[]
}

export type RelayParts = {
  /** The upstream's name. */
  readonly name: string
  readonly wire: Wire
  readonly headers: string[]
  /** The path of each kind. A kind without a path is `unsupported`. */
  readonly paths: Readonly<Record<RelayKind, string | undefined>>
  readonly quirks: RelayQuirks
  /** Decodes token ids. Undefined: the server takes them. */
  readonly detokenizer: Detokenizer | undefined
  /** The failure for an answer whose status is an error. */
  readonly refused: (answer: WireAnswer, call: Relay) => Promise<Failure>
  /** The failure for an error in an answer with status 200. */
  readonly readError: (call: Relay) => ReadError
}

/** Forwards embeddings and rerank to a server in OpenAI's format. Both bodies keep their original text if possible. */
export function createRelay(parts: RelayParts): NonNullable<Upstream['relay']> {
  const { name, wire, headers, paths, refused, readError } = parts
  return async (call, attempt) => {
    const path = paths[call.kind]
    if (path === undefined) {
      throw new Failure('unsupported', `This upstream has no ${call.kind}.`, { code: 'unsupported_endpoint' })
    }
    const body = await bodyFor(call, attempt, parts)
    const answer = await wire.post(path, headers, body.wire, attempt)
    if (answer.status < 200 || answer.status >= 300) throw await refused(answer, call)
    const text = await answer.text(replyBytes)
    return JsonText.read(bodyOf(text, name, readError(call)), text)
  }
}

async function bodyFor(
  call: Relay,
  attempt: Attempt,
  { detokenizer, quirks }: RelayParts,
): Promise<JsonText> {
  const own = call.body.value
  const edits: JsonObject = {}
  const named = call.kind === 'embeddings' ? withQuirks(own, quirks, attempt.notes) : own
  if (own['model'] !== attempt.upstreamModel) edits['model'] = attempt.upstreamModel
  if (detokenizer !== undefined && call.kind === 'embeddings' && holdsTokenIds(own['input'])) {
    edits['input'] = await inWords(own['input'], detokenizer, attempt.notes)
  }
  return named === own ? call.body.with(edits) : JsonText.of({ ...named, ...edits })
}

function withQuirks(
  body: JsonObject,
  { renames = {}, drops = [] }: RelayQuirks,
  notes: AttemptNotes,
): JsonObject {
  return without(renamed(body, renames, notes), drops, notes)
}

function bodyOf(text: string, provider: string, readError: ReadError): JsonObject {
  const body = parseAnswer(text)
  if (!isObject(body)) {
    throw new Failure('invalid_response', 'The upstream did not answer in JSON.', { provider })
  }
  const { error } = body
  if (error === undefined || error === null) return body
  const details = isObject(error) ? error : { message: spell(error) }
  throw (
    readError(details) ??
    new Failure('upstream_error', 'The upstream reported an error instead of an answer.', { cause: error })
  )
}
