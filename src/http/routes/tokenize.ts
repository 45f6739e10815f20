import type Router from '@koa/router'
import type { Authenticator } from '../../core/authenticate.ts'
import { Failure } from '../../core/model/failure.ts'
import type { JsonText } from '../../core/model/json/json-text.ts'
import { chat } from '../../dialects/openai/chat.ts'
import { completions } from '../../dialects/openai/completions.ts'
import type { Dialect } from '../../dialects/shared/dialect.ts'
import { sendJson } from '../call/answer/send.ts'
import { apiKeyOf } from '../call/api-key.ts'
import type { BodyReader } from '../call/body.ts'
import { headerLookup } from '../call/header-lookup.ts'
import { type CountingParts, countTokens } from './prompt-tokens.ts'

export type TokenizeParts = CountingParts & {
  readonly gate: Authenticator
  readonly readBody: BodyReader
  readonly strict: boolean
}

/**
 * `POST /tokenize` under `/v1`, `/inference` and `/inference/v1`: the number of tokens of a text, a prompt of any form,
 * or a chat, and the tokens themselves if the model's vocabulary is available. Otherwise the count is an estimate, and
 * marked as such. The count of a chat is always an estimate, because its template's tokens are unknown. Nothing is sent
 * upstream or recorded.
 */
export function serveTokenize(router: Router, parts: TokenizeParts): void {
  const { gate, readBody, strict } = parts
  router.post(/^\/(?:v1|inference|inference\/v1)\/tokenize$/, async (ctx) => {
    const { credential } = gate.admit(apiKeyOf(ctx.req))
    const { json } = await readBody(ctx)
    const id = ctx.state['requestId'] as string
    const { dialect, body } = requestOf(json)
    const headers = headerLookup(ctx.req)
    const call = dialect.parse({ id, body, credential, deadlineMs: undefined, strict, headers })
    const counted = await countTokens(call, parts)
    ctx.respond = false
    sendJson(ctx.req, ctx.res, 200, counted, ['x-request-id', id])
  })
}

/** Reads the input from one of three fields. `text` is treated as a prompt. */
function requestOf(json: JsonText): { dialect: Dialect; body: JsonText } {
  const { value } = json
  const given = ['text', 'prompt', 'messages'].filter((name) => (value[name] ?? null) !== null)
  const [field] = given
  if (field === undefined || given.length > 1) {
    const message = `Send one of 'text', 'prompt' and 'messages'.`
    throw new Failure('invalid_request', message, { param: given[1] ?? 'text' })
  }
  if (field === 'messages') return { dialect: chat, body: json }
  if (field === 'prompt') return { dialect: completions, body: json }
  const { text } = value
  if (typeof text !== 'string') {
    const message = "Invalid type for 'text': expected a string."
    throw new Failure('invalid_request', message, { param: 'text', code: 'invalid_type' })
  }
  return { dialect: completions, body: json.with({ text: undefined, prompt: text }) }
}
