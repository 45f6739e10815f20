import { holdsTokenIds, inWords } from '../../core/adapt/token-ids.ts'
import type { Relay, RelayKind } from '../../core/model/call.ts'
import { Failure } from '../../core/model/failure.ts'
import { isObject, type JsonObject } from '../../core/model/json.ts'
import { JsonText } from '../../core/model/json-text.ts'
import type { Attempt, Detokenizer, Upstream } from '../../core/model/ports.ts'
import type { ReadError } from '../http-error/openai-error.ts'
import { parseAnswer } from '../wire/answer-json.ts'
import type { Wire } from '../wire/wire.ts'
import type { WireAnswer } from '../wire/wire-answer.ts'
import { replyBytes } from './stream.ts'

export type RelayParts = {
  /** The upstream's name. */
  readonly name: string
  readonly wire: Wire
  readonly headers: string[]
  /** Where each kind goes; one without a path is `unsupported`. */
  readonly paths: Readonly<Record<RelayKind, string | undefined>>
  /** Turns token ids into text; undefined: the server takes them as they are. */
  readonly detokenizer: Detokenizer | undefined
  /** What an answer is whose status is an error, and what an error is that comes with status 200. */
  readonly refused: (answer: WireAnswer, model: string) => Promise<Failure>
  readonly readError: (model: string) => ReadError
}

/** What passes relays on to a server that speaks OpenAI's format: the text of both sides as it is, where it can be. */
export function createRelay(parts: RelayParts): NonNullable<Upstream['relay']> {
  const { name, wire, headers, paths, refused, readError } = parts
  return async (call, attempt) => {
    const path = paths[call.kind]
    if (path === undefined) {
      throw new Failure('unsupported', `This upstream has no ${call.kind}.`, { code: 'unsupported_endpoint' })
    }
    const body = await bodyFor(call, attempt, parts)
    const answer = await wire.post(path, headers, body.wire, attempt)
    if (answer.status < 200 || answer.status >= 300) throw await refused(answer, call.model)
    const text = await answer.text(replyBytes)
    return JsonText.read(bodyOf(text, name, readError(call.model)), text)
  }
}

async function bodyFor(call: Relay, attempt: Attempt, { detokenizer }: RelayParts): Promise<JsonText> {
  const edits: JsonObject = {}
  if (call.body.value['model'] !== attempt.upstreamModel) edits['model'] = attempt.upstreamModel
  if (detokenizer !== undefined && call.kind === 'embeddings' && holdsTokenIds(call.body.value['input'])) {
    edits['input'] = await inWords(call.body.value['input'], detokenizer, attempt.notes)
  }
  return call.body.with(edits)
}

function bodyOf(text: string, provider: string, readError: ReadError): JsonObject {
  const body = parseAnswer(text)
  if (!isObject(body)) {
    throw new Failure('invalid_response', 'The upstream did not answer in JSON.', { provider })
  }
  const { error } = body
  if (error === undefined || error === null) return body
  const told = isObject(error) ? error : { message: String(error) }
  throw (
    readError(told) ??
    new Failure('upstream_error', 'The upstream reported an error instead of an answer.', { cause: error })
  )
}
