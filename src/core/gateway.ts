import { promptBound } from './account/cost-bound.ts'
import { createMeter, type Meter, type MeteredUsage } from './account/meter.ts'
import type { OpenRecord } from './account/open-record.ts'
import { aboutBestOf, isRanked, rankChoices } from './adapt/best-of.ts'
import { type Answer, attempt, type Bursts } from './attempt/attempt.ts'
import type { AttemptParts } from './attempt/open-attempt.ts'
import type { GatewayParts } from './gateway-parts.ts'
import type { DeploymentReport } from './health/health-registry.ts'
import { isSinglePart, isSplitAt, type Part, splitCall } from './join/fan-out.ts'
import { gather } from './join/gather.ts'
import { withMissingChoices } from './join/missing-choices.ts'
import { isContinuable } from './join/remainder.ts'
import { resumableStream } from './join/resume-stream.ts'
import { type RunningParts, runParts } from './join/run-parts.ts'
import type { AnyCall, Call, Delta, Relay, RelayReply, Reply } from './model/call.ts'
import type { CallSignal } from './model/call-signal.ts'
import { Failure } from './model/failure.ts'
import { fold } from './model/fold/fold.ts'
import type { Deployment } from './model/ports.ts'
import type { Payer } from './model/tenant.ts'
import type { Usage } from './model/terms.ts'
import { clarified, type OpenCall, openCall, tryPart, untilEpochMs } from './open-call.ts'
import { asStream, untilUnpaid } from './paid-answer.ts'
import { pay } from './pay.ts'
import type { Explanation } from './plan/explain.ts'
import type { ListedModel, Plan } from './plan/router.ts'
import { paying } from './quote.ts'
import { relay } from './relay.ts'

/** Handles a call: plan it, split it if the upstream requires that, attempt, meter, record. */
export interface Gateway {
  /** Answers a call whole. Rejects with a Failure. `signal` aborts, with a Failure, when the caller leaves. */
  reply(call: Call, signal: CallSignal, record: OpenRecord): Promise<Reply>
  /**
   * Resolves at the first visible delta; until then nothing was shown, and every failure is a rejection. After it,
   * `bursts` rejects if the answer breaks, and ends only if it is complete.
   */
  stream(call: Call, signal: CallSignal, record: OpenRecord): Promise<Stream>
  /** Forwards a relay, and returns its answer. Rejects with a Failure. */
  relay(call: Relay, signal: CallSignal, record: OpenRecord): Promise<RelayReply>
  /** Why a call would go where it would go now. Throws a Failure for a model that is not served here. */
  explain(call: AnyCall): Explanation
  deployments(): readonly DeploymentReport[]
  models(): readonly ListedModel[]
  ownerOf(model: string): string | undefined
}

export type Stream = {
  readonly bursts: Bursts
  /** The usage of the whole answer, also noted in the record; to be called once, after `bursts` ended. */
  usage(): Usage | Promise<Usage>
}

export function createGateway(parts: GatewayParts): Gateway {
  const { planner } = parts
  return {
    reply(call, signal, record) {
      try {
        return open(parts, call, signal, record, whole)
      } catch (thrown) {
        return Promise.reject(thrown)
      }
    },
    async stream(call, signal, record) {
      return await open(parts, call, signal, record, unchanged)
    },
    relay: (call, signal, record) => relay(parts, call, signal, record),
    explain: (call) => planner.explain(call),
    deployments: () => planner.deployments(),
    models: () => planner.models(),
    ownerOf: (model) => planner.ownerOf(model),
  }
}

/** Cancels an answer that is not read. */
export function abandonAnswer({ bursts }: Answer): void {
  if (Symbol.asyncIterator in bursts) void bursts[Symbol.asyncIterator]().return?.()
}

/** Not async, because nearly every reply is already complete, and an async frame costs about 1 KB. */
function whole(stream: Stream): Reply | Promise<Reply> {
  const { bursts } = stream
  if (!Array.isArray(bursts)) return gather(bursts).then((deltas) => replyFrom(deltas, stream))
  const [only = [], ...others] = bursts
  return replyFrom(others.length === 0 ? only : bursts.flat(), stream)
}

function replyFrom(deltas: readonly Delta[], stream: Stream): Reply | Promise<Reply> {
  const reply = fold(deltas)
  if (reply === undefined) throw new TypeError('A committed answer holds at least one delta.')
  const usage = stream.usage()
  if (!(usage instanceof Promise)) return { chunk: reply, usage }
  return usage.then((settled) => ({ chunk: reply, usage: settled }))
}

/** Resolves with the result of `use` for the committed answer. Throws if no upstream can take the call. */
function open<Used>(
  parts: GatewayParts,
  call: Call,
  signal: CallSignal,
  record: OpenRecord,
  use: Use<Used>,
): Promise<Used> {
  const work = openCall(parts, call, signal, record)
  const payer = call.tenant?.payer
  const used = payer === undefined ? openPlanned(work, work.planned.plan, use) : openPaid(work, payer, use)
  return clarified(work, used)
}

type Work = OpenCall<Call>

function openPlanned<Used>(work: Work, plan: Plan, use: Use<Used>): Promise<Used> {
  return isSinglePart(work.call) ? openWhole(work, plan, use) : openSeveral(work, plan).then(use)
}

/** Pays for the call first. If a JSON answer is paid for slice by slice, it is requested as a stream. */
async function openPaid<Used>(work: Work, payer: Payer, use: Use<Used>): Promise<Used> {
  const { call, planned, record } = work
  const paid = await pay({
    ...{ payer, call, plan: planned.plan, record },
    ...paying(call, planned.plan),
    untilEpochMs: untilEpochMs(work),
  })
  const { isSliced, mostOutputTokens } = paid
  const coverage = { payer, use: paid.use, isSliced, mostOutputTokens, written: { tokens: 0 } }
  const isUnasked = paid.isSliced && !call.stream
  const paidFor: Work = { ...work, coverage, call: isUnasked ? asStream(paid.call) : paid.call }
  if (!isUnasked) return await openPlanned(paidFor, paid.plan, use)
  return await openPlanned(paidFor, paid.plan, (stream) => use(untilUnpaid(stream, call, record)))
}

type Use<Used> = (stream: Stream) => Used | Promise<Used>

function unchanged(stream: Stream): Stream {
  return stream
}

async function openSeveral(work: Work, plan: Plan): Promise<Stream> {
  const { call } = work
  const [first, ...rest] = plan
  const isSplit = ({ upstream }: Deployment) => isSplitAt(call, upstream)
  if (isSplit(first)) return await openParts(work, plan)
  const [split, ...splits] = rest.filter(isSplit)
  try {
    const whole = [first, ...rest.filter((deployment) => !isSplit(deployment))] as const
    const stream = await openWhole(work, whole, unchanged)
    const ask = (missing: readonly [Part, ...Part[]]) => runSeveral(work, whole, missing)
    return withMissingChoices(call, stream, ask, (metered) => noteUsage(work, first, metered))
  } catch (thrown) {
    // The call is split only if no deployment takes it whole.
    if (split === undefined || !(thrown instanceof Failure && thrown.elsewhere)) throw thrown
    return await openParts(work, [split, ...splits])
  }
}

/** Takes `use` as a parameter to avoid a further promise per call. */
function openWhole<Used>(work: Work, plan: Plan, use: Use<Used>): Promise<Used> {
  const meter = createMeter(work.call, work.parts.counter)
  work.account.follow(0, meter)
  return runPart(work, plan, work.call, 0, meter).then((answer) => {
    work.record.answeredBy(answer.deployment)
    if (mayBreakOff(work, plan)) return use(openResumable(work, plan, answer, meter))
    return use({
      bursts: answer.bursts,
      usage() {
        const metered = meter.settle(answer.usage())
        if (metered instanceof Promise)
          return metered.then((each) => noteUsage(work, answer.deployment, each))
        return noteUsage(work, answer.deployment, metered)
      },
    })
  })
}

/** True if another deployment could continue a stream that breaks off. */
function mayBreakOff({ call, parts }: Work, plan: Plan): boolean {
  const [first] = plan
  if (!parts.limits.continueStreams || !call.stream) return false
  return plan.some((deployment) => deployment !== first) && isContinuable(call)
}

function openResumable(work: Work, plan: Plan, first: Answer, meter: Meter): Stream {
  const { call, parts, account, record, signal, context } = work
  const { bursts, usage } = resumableStream({
    ...{ call, plan, first, meter, account, signal, counter: parts.counter, record: record.row },
    isOver: () => context.clock.now() >= context.deadlineAt,
    walk: (rest, make) => answered(work, runPart(work, rest, call, 0, meter, make)),
  })
  return {
    bursts,
    async usage() {
      return noteUsage(work, first.deployment, await usage())
    },
  }
}

/** Splits a call, with one walk of the plan for each part. */
async function openParts(work: Work, plan: Plan): Promise<Stream> {
  const { call } = work
  const parts = splitCall(call, work.parts.limits.choices)
  const isBest = isRanked(call)
  const merged = await runSeveral(work, plan, parts).catch((thrown: unknown) => {
    throw isBest ? aboutBestOf(thrown, call) : thrown
  })
  return {
    bursts: isBest ? bestOf(merged.bursts, call) : merged.bursts,
    async usage() {
      return noteUsage(work, plan[0], await merged.usage())
    },
  }
}

function runSeveral(work: Work, plan: Plan, parts: readonly [Part, ...Part[]]): Promise<RunningParts> {
  const { record, account, signal } = work
  const { counter, limits } = work.parts
  record.splitInto(Math.max(...parts.map(({ index }) => index)) + 1)
  return runParts({
    ...{ parts, counter, signal, limit: limits.fanOut },
    follow: ({ index }, meter) => account.follow(index, meter),
    run({ call: part, index }, signal, meter) {
      const own = { ...work, ...partCoverage(work, part, parts.length), signal }
      return answered(own, runPart(own, plan, part, index, meter))
    },
  })
}

/** The coverage of one part. */
function partCoverage({ coverage }: Work, part: Call, parts: number): Pick<Work, 'coverage'> {
  if (coverage === undefined) return {}
  const outputTokens = Math.ceil(coverage.use.outputTokens / parts)
  return { coverage: { ...coverage, use: { promptTokens: promptBound(part), outputTokens } } }
}

/** Ranks the candidates once all are complete. */
async function* bestOf(bursts: Bursts, call: Call): AsyncGenerator<readonly Delta[], void, void> {
  const whole = fold(await gather(bursts))
  if (whole !== undefined) yield [rankChoices(whole, call)]
}

async function answered(work: Work, attempted: Promise<Answer>): Promise<Answer> {
  const answer = await attempted
  work.record.answeredBy(answer.deployment)
  return answer
}

function runPart(
  work: Work,
  plan: Plan,
  call: Call,
  part: number,
  meter: Pick<Meter, 'note'>,
  make: (parts: AttemptParts) => Promise<Answer> = attempt,
): Promise<Answer> {
  return tryPart(work, { call, part, plan, meter }, make, work.parts.hedging)
}

function noteUsage(
  { record, planned, account }: Work,
  { id }: Deployment,
  { usage, estimated }: MeteredUsage,
): Usage {
  record.used(usage, estimated)
  // The sum over several attempts is not a count of one call.
  if (!record.row.flags.has('continued')) planned.learn(usage, estimated, id)
  account.settle()
  return usage
}
