import type { AnyCall, Chunk, Delta } from '../../src/core/model/call.ts'
import { Failure } from '../../src/core/model/failure.ts'
import { type JsonObject, parseJson } from '../../src/core/model/json/json.ts'
import { JsonText } from '../../src/core/model/json/json-text.ts'
import type { Incoming, WireFormat } from '../../src/dialects/shared/dialect.ts'

/** A request as the HTTP room hands it over. A string is the wire text itself. */
export function incoming(body: string | JsonObject, strict = false): Incoming {
  const source = typeof body === 'string' ? body : JSON.stringify(body)
  return {
    id: 'req_00000000000000000000000000000001',
    body: JsonText.read(parseJson(source) as JsonObject, source),
    credential: undefined,
    deadlineMs: undefined,
    strict,
  }
}

/** What the caller is told when a request is refused; undefined when it is accepted. */
export function refusalOf(
  dialect: WireFormat<AnyCall>,
  body: string | JsonObject,
  strict = false,
): Refusal | undefined {
  try {
    dialect.parse(incoming(body, strict))
    return undefined
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown
    const { status, message, param, code } = thrown
    return { status, message, param, code }
  }
}

export type Refusal = { status: number; message: string; param: string | null; code: string | null }

export function textDelta(text: string, more: Partial<Chunk> = {}): Delta {
  const choice = { text, index: 0, logprobs: null, finish_reason: null }
  const chunk: Chunk = {
    id: 'cmpl-1',
    object: 'text_completion',
    created: 1700000000,
    model: 'mistral-7b',
    choices: [choice],
    ...more,
  }
  return JsonText.of(chunk)
}

export function chatDelta(content: string, more: Partial<Chunk> = {}): Delta {
  const chunk: Chunk = {
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
    created: 1700000000,
    model: 'mistral-7b',
    choices: [{ index: 0, delta: { content }, finish_reason: null }],
    ...more,
  }
  return JsonText.of(chunk)
}

export const usage = { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 }
