import { promptBound } from './account/cost-bound.ts'
import type { MeteredUsage } from './account/meter.ts'
import type { OpenRecord } from './account/open-record.ts'
import { promptSizeOf, wholeTokens } from './account/prompt-size.ts'
import { inTime } from './attempt/in-time.ts'
import { type AttemptParts, openAttempt } from './attempt/open-attempt.ts'
import type { GatewayParts } from './gateway-parts.ts'
import { joinEmbeddings, splitInputs, validateEmbeddings } from './join/embeddings.ts'
import { merge } from './join/merge.ts'
import { validateRerank } from './join/rerank.ts'
import type { Relay, RelayReply } from './model/call.ts'
import { type CallSignal, controllerUnder } from './model/call-signal.ts'
import { Failure } from './model/failure.ts'
import { isObject, type JsonObject } from './model/json/json.ts'
import type { LazySet } from './model/lazy-set.ts'
import type { Usage } from './model/terms.ts'
import { addUsage, type ClaimedUsage, readCount, readUsage, writeUsage } from './model/usage/usage.ts'
import { clarified, type OpenCall, openCall, tryPart, untilEpochMs } from './open-call.ts'
import { pay } from './pay.ts'
import type { Plan } from './plan/router.ts'

/** Handles a relay: plan it, split it if it is too large, attempt, count, join. */
export async function relay(
  parts: GatewayParts,
  call: Relay,
  signal: CallSignal,
  record: OpenRecord,
): Promise<RelayReply> {
  const work = openCall(parts, call, signal, record)
  const { planned, account } = work
  const { row } = record
  const pieces = call.kind === 'embeddings' ? splitInputs(call, inputsPerRequest(planned.plan)) : [call]
  record.splitInto(pieces.length)
  const usages = new Map<number, MeteredUsage>()
  for (const [part, piece] of pieces.entries()) {
    account.follow(part, { estimate: () => usages.get(part) ?? judged(piece) })
  }
  const plan = await paidPlan(work)
  const replies = await clarified(work, answered(work, plan, pieces))
  for (const [part, { claimed, piece }] of replies.entries()) {
    usages.set(part, await settled(claimed, piece, parts))
  }
  const usage = addUsage([...usages.values()].map((one) => one.usage))
  const isEstimated = [...usages.values()].some(({ estimated }) => estimated)
  record.used(usage, isEstimated)
  planned.learn(usage, isEstimated, row.deployment ?? planned.plan[0].id)
  account.settle()
  const [first, ...others] = replies.map(({ reply }) => reply)
  if (first === undefined) throw new TypeError('A relay has at least one part.')
  return withUsage(joinEmbeddings([first, ...others]), usage, call)
}

/** How many inputs fit into one request at every deployment of the plan. */
function inputsPerRequest(plan: Plan): number {
  return Math.min(...plan.map(({ traits }) => traits.inputsPerRequest ?? Number.POSITIVE_INFINITY))
}

/** Pays for the call, if there is a payer. Returns the deployments whose budgets have room. */
async function paidPlan(work: OpenCall<Relay>): Promise<Plan> {
  const { call, record, planned } = work
  const payer = call.tenant?.payer
  if (payer === undefined) return planned.plan
  const paid = await pay({
    ...{ payer, call, plan: planned.plan, record, requests: 1, isDivisible: false },
    untilEpochMs: untilEpochMs(work),
  })
  return paid.plan
}

/**
 * The answers to the pieces, in order. Pieces run concurrently, each with its own walk; if one fails, the others are
 * cancelled.
 */
async function answered(
  work: OpenCall<Relay>,
  plan: Plan,
  pieces: readonly Relay[],
): Promise<readonly Relayed[]> {
  const { call, parts, record } = work
  const payer = call.tenant?.payer
  const siblings = controllerUnder(work.signal)
  const tasks = pieces.map((piece, part) => async () => {
    const use = { promptTokens: promptBound(piece), outputTokens: 0 }
    const own = {
      ...work,
      signal: siblings.signal,
      ...(payer && { coverage: { payer, use, isSliced: false } }),
    }
    const pieceParts = { call: piece, part, plan, meter: unmetered }
    return [
      await tryPart(own, pieceParts, async (attempt: AttemptParts<Relay>) => {
        const relayed = await attemptRelay(attempt)
        record.answeredBy(attempt.deployment)
        return relayed
      }),
    ]
  })
  const replies: Relayed[] = []
  try {
    for await (const { position, value } of merge(tasks, parts.limits.fanOut)) replies[position] = value
  } finally {
    siblings.abort(new Failure('superseded', 'Another part of the answer failed, so this one was cancelled.'))
  }
  record.completed()
  return replies
}

type Relayed = {
  readonly piece: Relay
  readonly reply: RelayReply
  readonly claimed: ClaimedUsage | undefined
}

/** One attempt at one deployment: the whole validated answer, or a Failure. */
async function attemptRelay(parts: AttemptParts<Relay>): Promise<Relayed> {
  const { call, deployment, isFresh } = parts
  const { upstream, upstreamModel = call.model, clocks } = deployment
  const open = openAttempt(parts)
  try {
    const { id, trace, signal, notes } = open
    if (upstream.relay === undefined) throw noneOf(call)
    const { connectMs } = clocks
    const sent = upstream.relay(call, { id, upstreamModel, connectMs, isFresh, trace, signal, notes })
    const raw = await inTime(parts, sent, clocks.totalMs)
    const claimed = claimOf(raw.value, parts.context.record.row.flags)
    open.claims({ usage: () => claimed, isFinished })
    const valid = call.kind === 'embeddings' ? validateEmbeddings(raw, call) : validateRerank(raw, call)
    const reply = renamed(valid, parts)
    open.commit()
    open.end()
    return { piece: call, reply, claimed }
  } catch (thrown) {
    throw open.fail(thrown)
  }
}

/** Answers under the model's public name, if the deployment has another. */
function renamed(reply: RelayReply, { call, deployment, context }: AttemptParts<Relay>): RelayReply {
  const name = deployment.answersAs?.(call.model)
  const own = reply.value['model']
  if (name === undefined || typeof own !== 'string' || own === name) return reply
  context.record.answeredAs(own)
  return reply.with({ model: name })
}

/** A relay generates no text. */
const unmetered = { note: () => undefined }

/** The answer comes in one piece, with its usage. */
function isFinished(): boolean {
  return true
}

function noneOf({ kind }: Relay): Failure {
  return new Failure('unsupported', `This upstream has no ${kind}.`, { code: 'unsupported_endpoint' })
}

/** Embeddings and rerank generate no tokens. */
function claimOf({ usage }: JsonObject, flags: Pick<LazySet, 'add'>): ClaimedUsage | undefined {
  const claimed = readUsage(usage, flags)
  if (claimed === undefined) return undefined
  const promptTokens = claimed.promptTokens ?? readCount(claimed.raw['total_tokens'], flags)
  return { ...claimed, promptTokens, completionTokens: claimed.completionTokens ?? 0 }
}

async function settled(
  claimed: ClaimedUsage | undefined,
  piece: Relay,
  { counter }: GatewayParts,
): Promise<MeteredUsage> {
  const { promptTokens, completionTokens = 0, raw = {} } = claimed ?? {}
  if (promptTokens !== undefined) {
    return { usage: writeUsage(raw, promptTokens, completionTokens), estimated: false }
  }
  const counted = await countTexts(piece, counter)
  return { usage: writeUsage(raw, counted, completionTokens), estimated: true }
}

/** A token id counts as one token; a query counts once per document. */
async function countTexts(
  { kind, body: { value: body } }: Relay,
  counter: GatewayParts['counter'],
): Promise<number> {
  const { input, query, documents } = body
  if (kind === 'embeddings') return await countEach(Array.isArray(input) ? input : [input], counter)
  const texts: readonly unknown[] = Array.isArray(documents) ? documents : []
  return (await countEach(texts, counter)) + texts.length * (await countEach([query], counter))
}

async function countEach(values: readonly unknown[], counter: GatewayParts['counter']): Promise<number> {
  let tokens = 0
  const texts: string[] = []
  for (const value of values) {
    if (typeof value === 'number') tokens += 1
    else if (Array.isArray(value)) tokens += value.length
    else if (typeof value === 'string') texts.push(value)
    else if (isObject(value)) texts.push(...Object.values(value).filter((each) => typeof each === 'string'))
  }
  for (const text of texts) tokens += await counter.count(text)
  return tokens
}

function judged(piece: Relay): MeteredUsage {
  const { exactTokens, textTokens } = promptSizeOf(piece)
  return { usage: writeUsage({}, wholeTokens(exactTokens + textTokens), 0), estimated: true }
}

/** Clients of embeddings require usage; for several answers it is the sum. */
function withUsage(reply: RelayReply, usage: Usage, { kind }: Relay): RelayReply {
  if (kind !== 'embeddings') return reply
  const { prompt_tokens, total_tokens } = usage
  const reported = reply.value['usage']
  if (
    isObject(reported) &&
    reported['prompt_tokens'] === prompt_tokens &&
    reported['total_tokens'] === total_tokens
  ) {
    return reply
  }
  return reply.with({ usage: { prompt_tokens, total_tokens } })
}
