import type { Reply } from '../../core/model/call.ts'
import { Failure } from '../../core/model/failure.ts'
import { isObject, type JsonObject } from '../../core/model/json/json.ts'
import { JsonText } from '../../core/model/json/json-text.ts'
import type { Clock } from '../../core/model/ports.ts'
import type { Recollection } from '../../core/model/response-storage.ts'
import type { ResponseStore } from '../../core/reuse/response-store.ts'
import { openAiError } from '../openai/error.ts'
import { callOf, requireModel } from '../shared/call.ts'
import { type Dialect, everyPrefix, type Incoming } from '../shared/dialect.ts'
import { validate } from '../shared/validate.ts'
import { missing } from '../shared/validation-error.ts'
import { responsesFields, strictResponsesFields, unsupportedFields } from './fields.ts'
import { inputItems, referencesIn } from './input.ts'
import { createOutputWriter } from './output.ts'
import { endingOf, type ResponseRequest, type ResponsesCall, responseId, responseOf } from './reply.ts'
import { chatRequest } from './request.ts'
import { createResponsesStream } from './stream.ts'
import { refuseByOpenAi, refuseUnpairedCalls } from './strict.ts'

export type ResponsesParts = {
  /** Stores answers for later requests that refer to them. */
  readonly store: ResponseStore
  readonly clock: Pick<Clock, 'epochMs'>
}

/** OpenAI's Responses API. Requests become chat calls. It renders only calls that it parsed itself. */
export function createResponses({ store, clock }: ResponsesParts): Dialect {
  const keep = (asked: ResponseRequest, response: JsonObject) => {
    const { request, tenant, stem, input } = asked
    if (request['store'] === false) return
    const previousId = textIn(request, 'previous_response_id')
    const written = store.put(tenant, { id: responseId(stem), previousId, input, response })
    if (written !== undefined) pendingWrites.set(asked, written)
  }
  const pendingWrites = new WeakMap<ResponseRequest, Promise<void>>()
  return {
    ...responsesFormat,
    parse: readResponse,
    recall: (request) => recall(request, store),
    kept: ({ origin: asked }: ResponsesCall) => pendingWrites.get(asked),
    render(reply, call: ResponsesCall) {
      const response = wholeResponse(reply, call, clock.epochMs())
      keep(call.origin, response)
      return JSON.stringify(response)
    },
    encoder: (call: ResponsesCall) =>
      createResponsesStream(call, {
        epochMs: clock.epochMs,
        keep: (response) => keep(call.origin, response),
        summarizes: summarizes(call.origin),
      }),
    fail: openAiError,
  }
}

const dialectName = 'responses'

export const responsesFormat = {
  ...{ name: dialectName, path: '/responses', prefixes: everyPrefix },
  requestShape: { fields: responsesFields, required: [] },
} as const satisfies Partial<Dialect>

function readResponse(request: Incoming): ResponsesCall {
  const {
    body: { value: given },
    strict,
    id,
    tenant = '',
    recalled,
  } = request
  requireModel(given)
  validate(given, strict ? strictResponsesFields : responsesFields)
  if (strict) refuseByOpenAi(given)
  refuseUnsupported(given)
  const stem = id.replace(/^req_/, '')
  const input = inputItems(given['input'], stem, (ids) => recalled?.findItems(ids) ?? new Map())
  const items = [...history(given, recalled), ...input]
  if (strict) refuseUnpairedCalls(items)
  const { body, origins, ...notes } = chatRequest(given, items)
  if (Array.isArray(body['messages']) && body['messages'].length === 0) throw emptyInput()
  const call = callOf({ ...request, body: JsonText.of(body) }, dialectName, 'chat')
  const asked = { stem, tenant, request: given, input, origins }
  return { ...call, ...notes, origin: asked }
}

function emptyInput(): Failure {
  const message =
    "Invalid 'input': empty array. Expected at least one item that becomes a message, but got none."
  return new Failure('invalid_request', message, { param: 'input', code: 'empty_array' })
}

function refuseUnsupported(body: JsonObject): void {
  const { input, previous_response_id: previous, background } = body
  if ((input ?? previous ?? null) === null) throw missing('input')
  const field =
    background === true ? 'background' : unsupportedFields.find((name) => (body[name] ?? null) !== null)
  if (field !== undefined) {
    throw new Failure('unsupported', `Unsupported parameter: '${field}' is not supported by this gateway.`, {
      param: field,
    })
  }
}

/** Looks up stored responses. This happens before the request is validated. */
function recall(
  { body: { value: body }, tenant = '' }: Incoming,
  store: ResponseStore,
): Promise<Recollection> | undefined {
  const previousId = textIn(body, 'previous_response_id')
  const itemIds = referencesIn(body['input'])
  return previousId === undefined && itemIds.length === 0
    ? undefined
    : store.recall(tenant, previousId, itemIds)
}

function history(body: JsonObject, recalled: Recollection | undefined): readonly JsonObject[] {
  return textIn(body, 'previous_response_id') === undefined ? [] : (recalled?.conversation() ?? [])
}

function textIn(body: JsonObject, name: string): string | undefined {
  const value = body[name]
  return typeof value === 'string' ? value : undefined
}

function wholeResponse(
  { chunk: { value: chunk }, usage }: Reply,
  { origin: asked }: ResponsesCall,
  endedEpochMs: number,
): JsonObject {
  const [choice] = chunk.choices
  const { stem, origins } = asked
  const output = createOutputWriter({ stem, origins, summarizes: summarizes(asked) }, () => undefined)
  const ending = endingOf(choice?.finish_reason ?? null, usage, endedEpochMs)
  output.write(choice?.message ?? {}, choice?.logprobs)
  output.end(ending.status === 'incomplete')
  return responseOf(asked, {
    model: chunk.model,
    createdEpochMs: Math.min(chunk.created * 1000, endedEpochMs),
    output: output.items(),
    serviceTier: chunk['service_tier'],
    ending,
  })
}

/**
 * True if the caller requested a summary. Upstreams return reasoning text but no summary, so the text is written there.
 */
function summarizes({ request: { reasoning } }: ResponseRequest): boolean {
  return isObject(reasoning) && (reasoning['summary'] ?? reasoning['generate_summary'] ?? null) !== null
}
