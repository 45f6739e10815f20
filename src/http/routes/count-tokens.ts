import type Router from '@koa/router'
import type { Authenticator } from '../../core/authenticate.ts'
import type { Gateway } from '../../core/gateway.ts'
import { withoutBillingLine } from '../../core/model/billing-line.ts'
import { isObject, type JsonObject } from '../../core/model/json/json.ts'
import type { TokenCounter } from '../../core/model/ports.ts'
import { unknownModel } from '../../core/plan/router.ts'
import { messageCall } from '../../dialects/anthropic/anthropic.ts'
import { sendJson } from '../call/answer/send.ts'
import { apiKeyOf } from '../call/api-key.ts'
import type { BodyReader } from '../call/body.ts'
import { headerLookup } from '../call/header-lookup.ts'

export type CountTokensParts = {
  readonly gateway: Pick<Gateway, 'ownerOf' | 'models'>
  readonly gate: Authenticator
  readonly counter: TokenCounter
  readonly readBody: BodyReader
  readonly strict: boolean
}

/**
 * `POST {prefix}/messages/count_tokens`: the token count of a message's prompt. Nothing is sent upstream or recorded.
 * The count is an estimate, because the model's tokenizer may differ; a header says so.
 */
export function serveCountTokens(router: Router, prefix: string, parts: CountTokensParts): void {
  const { gateway, gate, counter, readBody, strict } = parts
  router.post(`${prefix}/messages/count_tokens`, async (ctx) => {
    const { credential, tenant } = gate.admit(apiKeyOf(ctx.req))
    const { json: body } = await readBody(ctx)
    const id = ctx.state['requestId'] as string
    const headers = headerLookup(ctx.req)
    const call = messageCall({ id, body, credential, deadlineMs: undefined, strict, headers })
    const isServed = [call.model, ...(call.steering?.models ?? [])].some(
      (model) => gateway.ownerOf(model) !== undefined,
    )
    if (!isServed) {
      throw unknownModel(
        call.model,
        gateway.models().flatMap(({ id: known }) => (tenant?.allowsModel(known) === false ? [] : [known])),
      )
    }
    const answer = { input_tokens: await countPrompt(call.body.value, counter) }
    ctx.respond = false
    sendJson(ctx.req, ctx.res, 200, answer, [
      ...['x-request-id', id],
      ...['request-id', id],
      ...['x-pandotate-estimated', 'true'],
    ])
  })
}

/** The tokens of a chat's messages and tools, and of a typical template. */
export async function countPrompt(
  { messages: given, tools }: JsonObject,
  counter: TokenCounter,
): Promise<number> {
  // The billing line is sent only to Anthropic's own upstream.
  const messages = withoutBillingLine(given) ?? given
  const words: string[] = []
  let otherTokens = tokensPerReply
  for (const message of Array.isArray(messages) ? messages.filter(isObject) : []) {
    const { content, reasoning_content: reasoning, tool_calls: calls } = message
    otherTokens += tokensPerMessage
    for (const part of Array.isArray(content) ? content.filter(isObject) : [{ text: content }]) {
      if (typeof part['text'] === 'string') words.push(part['text'])
      else if ('type' in part) otherTokens += tokensPerMedium
    }
    if (typeof reasoning === 'string') words.push(reasoning)
    if (calls !== undefined) words.push(JSON.stringify(calls))
  }
  // Most templates write tools as JSON.
  if (tools !== undefined) words.push(JSON.stringify(tools))
  return otherTokens + (await counter.count(words.join('\n')))
}

/** The template's tokens: around each message, and for the start of the reply. */
const tokensPerMessage = 4
const tokensPerReply = 3

/** An image or a file takes hundreds to thousands of tokens. Its content is not read. */
const tokensPerMedium = 1000
