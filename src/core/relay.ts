import { openCallCost } from './account/call-cost.ts'
import { promptBound } from './account/cost-bound.ts'
import type { MeteredUsage } from './account/meter.ts'
import { promptSizeOf, wholeTokens } from './account/prompt-size.ts'
import type { OpenRecord } from './account/recorder.ts'
import { inTime } from './attempt/in-time.ts'
import { type AttemptParts, openAttempt } from './attempt/open-attempt.ts'
import { walk } from './attempt/walk.ts'
import { covered } from './cover.ts'
import type { GatewayParts } from './gateway-parts.ts'
import { joinEmbeddings, splitInputs, validateEmbeddings } from './join/embeddings.ts'
import { merge } from './join/merge.ts'
import { validateRerank } from './join/rerank.ts'
import type { Relay, RelayReply } from './model/call.ts'
import { type CallSignal, controllerUnder } from './model/call-signal.ts'
import { Failure } from './model/failure.ts'
import { isObject, type JsonObject } from './model/json/json.ts'
import type { LazySet } from './model/lazy-set.ts'
import type { Payer } from './model/tenant.ts'
import type { Usage } from './model/terms.ts'
import { addUsage, type ClaimedUsage, readCount, readUsage, writeUsage } from './model/usage.ts'
import { pay } from './pay.ts'
import type { Plan } from './plan/router.ts'

/** The story of a relay: plan it, split it where there is too much of it, try, count, put together. */
export async function relay(
  parts: GatewayParts,
  call: Relay,
  signal: CallSignal,
  record: OpenRecord,
): Promise<RelayReply> {
  const { row } = record
  row.kind = call.kind
  row.model = call.model
  const planned = parts.planner.plan(call)
  record.row.plan = planned.note
  const account = openCallCost(planned.baseline, record)
  const pieces = call.kind === 'embeddings' ? splitInputs(call, inputsPerRequest(planned.plan)) : [call]
  row.parts = pieces.length
  const usages = new Map<number, MeteredUsage>()
  for (const [part, piece] of pieces.entries()) {
    account.follow(part, { estimate: () => usages.get(part) ?? judged(piece) })
  }
  const paid = await paidFor({ parts, plan: planned.plan, pieces, signal, record }, call)
  const replies = await answered(paid).catch((thrown: unknown) =>
    Promise.reject(planned.clarify?.(thrown) ?? thrown),
  )
  for (const [part, { claimed, piece }] of replies.entries()) {
    usages.set(part, await settled(claimed, piece, parts))
  }
  const usage = addUsage([...usages.values()].map((one) => one.usage))
  const isEstimated = [...usages.values()].some(({ estimated }) => estimated)
  row.usage = usage
  row.usageEstimated = isEstimated
  planned.learn(usage, isEstimated, row.deployment ?? planned.plan[0].id)
  account.settle()
  const [first, ...others] = replies.map(({ reply }) => reply)
  if (first === undefined) throw new TypeError('A relay has at least one part.')
  return told(joinEmbeddings([first, ...others]), usage, call)
}

/** What may go into one request, wherever of the plan it ends up. */
function inputsPerRequest(plan: Plan): number {
  return Math.min(...plan.map(({ traits }) => traits.inputsPerRequest ?? Number.POSITIVE_INFINITY))
}

/** As far as there is money for it, where somebody counts. */
async function paidFor(work: Work, call: Relay): Promise<Work> {
  const { parts, plan, record } = work
  const payer = call.tenant?.payer
  if (payer === undefined) return work
  const leftMs = Math.min(parts.limits.deadlineMs, call.deadlineMs ?? Number.POSITIVE_INFINITY)
  const paid = await pay({
    ...{ payer, call, plan, record: record.row, requests: 1, isDivisible: false },
    untilEpochMs: parts.clock.epochMs() + leftMs,
  })
  return { ...work, plan: paid.plan, payer }
}

type Work = {
  /** Absent: nothing is counted. */
  readonly payer?: Payer
  readonly parts: GatewayParts
  readonly plan: Plan
  readonly pieces: readonly Relay[]
  readonly signal: CallSignal
  readonly record: OpenRecord
}

/** The pieces side by side, each by its own walk; when one fails the others are given up. In the pieces' order. */
async function answered({ parts, plan, pieces, signal, record, payer }: Work): Promise<readonly Relayed[]> {
  const { clock, random, limits, standings, retryBudget } = parts
  const { row, startedAt } = record
  const siblings = controllerUnder(signal)
  const tasks = pieces.map((piece, part) => async () => {
    const deadlineAt = startedAt + Math.min(limits.deadlineMs, piece.deadlineMs ?? Number.POSITIVE_INFINITY)
    const use = { promptTokens: promptBound(piece), outputTokens: 0 }
    const coverage = payer && { payer, use, isSliced: false }
    const bounds = {
      startedAt,
      deadlineAt,
      standings,
      retryBudget,
      signal: siblings.signal,
      meter: unmetered,
    }
    return [
      await walk({ plan, call: piece, part, clock, random, record: row, ...bounds }, async (attempt) => {
        const relayed = await (coverage === undefined
          ? attemptRelay(attempt)
          : covered(coverage, attempt, attemptRelay))
        row.deployment ??= attempt.deployment.id
        row.provider ??= attempt.deployment.upstream.name
        row.successor ??= attempt.deployment.successor
        return relayed
      }),
    ]
  })
  const replies: Relayed[] = []
  try {
    for await (const { position, value } of merge(tasks, limits.fanOut)) replies[position] = value
  } finally {
    siblings.abort(new Failure('superseded', 'Another part of the answer failed: the rest is of no use.'))
  }
  row.firstTokenMs = record.elapsedMs() - (row.attempts[0]?.startMs ?? 0)
  return replies
}

type Relayed = {
  readonly piece: Relay
  readonly reply: RelayReply
  readonly claimed: ClaimedUsage | undefined
}

/** One try at one deployment: the whole answer, validated, or a Failure. */
async function attemptRelay(parts: AttemptParts<Relay>): Promise<Relayed> {
  const { call, deployment, isFresh } = parts
  const { upstream, upstreamModel = call.model, clocks } = deployment
  const open = openAttempt(parts)
  try {
    const { id, signal, notes } = open
    if (upstream.relay === undefined) throw noneOf(call)
    const { connectMs } = clocks
    const sent = upstream.relay(call, { id, upstreamModel, connectMs, isFresh, signal, notes })
    const raw = await inTime(parts, sent, clocks.totalMs)
    const claimed = claimOf(raw.value, parts.record.flags)
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

/** Under the model's public name, where the deployment calls it otherwise. */
function renamed(reply: RelayReply, { call, deployment, record }: AttemptParts<Relay>): RelayReply {
  const name = deployment.answersAs?.(call.model)
  const own = reply.value['model']
  if (name === undefined || typeof own !== 'string' || own === name) return reply
  record.upstreamModel = own
  return reply.with({ model: name })
}

/** What a relay brings forth is no words. */
const unmetered = { note: () => undefined }

/** The answer comes in one piece, and its usage with it. */
function isFinished(): boolean {
  return true
}

function noneOf({ kind }: Relay): Failure {
  return new Failure('unsupported', `This upstream has no ${kind}.`, { code: 'unsupported_endpoint' })
}

/** Nothing is brought forth but what was asked about. */
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

/** Token ids count for themselves; a query is read with every document. */
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

/** Clients of embeddings fail without usage; of several answers only the sum is true. */
function told(reply: RelayReply, usage: Usage, { kind }: Relay): RelayReply {
  if (kind !== 'embeddings') return reply
  const { prompt_tokens, total_tokens } = usage
  const said = reply.value['usage']
  if (isObject(said) && said['prompt_tokens'] === prompt_tokens && said['total_tokens'] === total_tokens) {
    return reply
  }
  return reply.with({ usage: { prompt_tokens, total_tokens } })
}
