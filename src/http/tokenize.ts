import type Router from '@koa/router'
import { Failure } from '../core/failure.ts'
import type { Gate } from '../core/gate.ts'
import type { JsonObject } from '../core/json.ts'
import type { Call } from '../core/model.ts'
import type { TokenCounter, TokenEncoder } from '../core/ports.ts'
import type { Router as ModelRouter } from '../core/router.ts'
import { chat } from '../dialects/chat.ts'
import { completions } from '../dialects/completions.ts'
import type { Dialect } from '../dialects/dialect.ts'
import { bearerOf } from './bearer.ts'
import type { BodyReader } from './body.ts'
import { countPrompt } from './count-tokens.ts'
import { sendJson } from './send.ts'
import { headerLookup } from './serve.ts'

export type TokenizeParts = {
  readonly router: Pick<ModelRouter, 'routeOf'>
  readonly gate: Gate
  /** For text whose own tokens cannot be had. */
  readonly counter: TokenCounter
  readonly encoder: TokenEncoder
  readonly readBody: BodyReader
  readonly strict: boolean
}

/**
 * `POST /tokenize`, under `/v1`, `/inference` and `/inference/v1`: how many tokens a text, a prompt of any form, or a
 * chat has, and which, where the vocabulary of what runs the model is at hand. Else the count is an estimate and says
 * so, as that of a chat always does: what its template adds is not known. Nothing is sent upstream, nothing recorded.
 */
export function serveTokenize(router: Router, parts: TokenizeParts): void {
  const { gate, readBody, strict } = parts
  router.post(/^\/(?:v1|inference|inference\/v1)\/tokenize$/, async (ctx) => {
    const { credential } = gate.admit(bearerOf(ctx.req))
    const { text: source, value } = await readBody(ctx)
    const id = ctx.state['requestId'] as string
    const { dialect, body } = askedOf(value)
    const headers = headerLookup(ctx.req)
    const call = dialect.parse({ id, body, source, credential, deadlineMs: undefined, strict, headers })
    const counted = call.kind === 'chat' ? await ofChat(call, parts) : await ofPrompt(call, parts)
    ctx.respond = false
    sendJson(ctx.req, ctx.res, 200, counted, ['x-request-id', id])
  })
}

type Counted = { readonly count: number; readonly tokens?: unknown; readonly estimated: boolean }

/** What is asked about is in one of three fields. A text is a prompt that is one. */
function askedOf(value: JsonObject): { dialect: Dialect; body: JsonObject } {
  const given = ['text', 'prompt', 'messages'].filter((name) => (value[name] ?? null) !== null)
  const [field] = given
  if (field === undefined || given.length > 1) {
    const message = `Send one of 'text', 'prompt' and 'messages'.`
    throw new Failure('invalid_request', message, { param: given[1] ?? 'text' })
  }
  if (field === 'messages') return { dialect: chat, body: value }
  if (field === 'prompt') return { dialect: completions, body: value }
  const { text, ...rest } = value
  if (typeof text !== 'string') {
    const message = "Invalid type for 'text': expected a string."
    throw new Failure('invalid_request', message, { param: 'text', code: 'invalid_type' })
  }
  return { dialect: completions, body: { ...rest, prompt: text } }
}

async function ofChat(call: Call, { router, counter }: TokenizeParts): Promise<Counted> {
  router.routeOf(call.model)
  return { count: await countPrompt(call, counter), estimated: true }
}

/** Of several prompts, each has its own tokens. */
async function ofPrompt({ model, body }: Call, parts: TokenizeParts): Promise<Counted> {
  const { deployments } = parts.router.routeOf(model)
  // By the names under which it runs: where their tokens differ, there is no one answer.
  const models = new Set(deployments.map(({ upstreamModel = model }) => upstreamModel))
  const { prompt } = body
  if (!Array.isArray(prompt) || typeof prompt[0] === 'number') return await ofOne(prompt, models, parts)
  const each: Counted[] = []
  for (const one of prompt) each.push(await ofOne(one, models, parts))
  const count = each.reduce((sum, one) => sum + one.count, 0)
  if (each.some(({ estimated }) => estimated)) return { count, estimated: true }
  return { count, tokens: each.map(({ tokens }) => tokens), estimated: false }
}

/** A text, or token ids, which are what they are. */
async function ofOne(
  prompt: unknown,
  models: ReadonlySet<string>,
  { encoder, counter }: TokenizeParts,
): Promise<Counted> {
  if (Array.isArray(prompt)) return { count: prompt.length, tokens: prompt, estimated: false }
  const text = typeof prompt === 'string' ? prompt : ''
  const tokens = await encoder.encode(models, text)
  if (tokens === undefined) return { count: await counter.count(text), estimated: true }
  return { count: tokens.length, tokens, estimated: false }
}
