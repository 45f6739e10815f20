import { type Account, openAccount } from './account.ts'
import type { Answer, Bursts } from './attempt.ts'
import type { Explanation } from './explain.ts'
import { isSinglePart, splitCall } from './fan-out.ts'
import { fold } from './fold.ts'
import { createMeter, type Meter } from './meter.ts'
import type { Call, Delta, Reply, Usage } from './model.ts'
import { openParted } from './parted.ts'
import type { Planned, Planner } from './planner.ts'
import type { Clock, Deployment, Random, TokenCounter } from './ports.ts'
import type { OpenRecord } from './recorder.ts'
import type { ListedModel, Plan } from './router.ts'
import type { DeploymentReport, Standings } from './standings.ts'
import { walk } from './walk.ts'

/** The story of a call: plan it, split it where its upstream must have it so, try, meter, tell. */
export interface Gateway {
  /** Answers a call whole. Rejects with a Failure. `signal` aborts, with a Failure, when the caller leaves. */
  reply(call: Call, signal: AbortSignal, record: OpenRecord): Promise<Reply>
  /**
   * Resolves at the first visible delta; until then nothing was shown, and every failure is a rejection. After
   * it, `bursts` rejects where the answer breaks, and ends only where it is complete.
   */
  stream(call: Call, signal: AbortSignal, record: OpenRecord): Promise<Stream>
  /** Why a call would go where it would go now. Throws a Failure for a model that is not served here. */
  explain(call: Call): Explanation
  deployments(): readonly DeploymentReport[]
  models(): readonly ListedModel[]
  ownerOf(model: string): string | undefined
}

export type Stream = {
  readonly bursts: Bursts
  /** The usage of the whole answer, also noted in the record; to be called once, after `bursts` ended. */
  usage(): Promise<Usage>
}

export type GatewayParts = {
  readonly planner: Planner
  readonly standings: Standings
  readonly counter: TokenCounter
  readonly clock: Clock
  readonly random: Random
  readonly limits: GatewayLimits
}

export type GatewayLimits = {
  /** How long one call may take in all, retries and fallbacks included. */
  readonly deadlineMs: number
  /** How many parts of one call run at once. */
  readonly fanOut: number
  /** How many choices one call may ask for, over all its prompts. */
  readonly choices: number
}

export function createGateway(parts: GatewayParts): Gateway {
  const { planner } = parts
  return {
    async reply(call, signal, record) {
      const { bursts, usage } = await open({ parts, call, signal, record })
      const reply = fold(await gather(bursts))
      if (reply === undefined) throw new TypeError('A committed answer holds at least one delta.')
      return { chunk: reply.chunk, source: reply.source, usage: await usage() }
    },
    stream: (call, signal, record) => open({ parts, call, signal, record }),
    explain: (call) => planner.explain(call),
    deployments: () => planner.deployments(),
    models: () => planner.models(),
    ownerOf: (model) => planner.ownerOf(model),
  }
}

type Job = {
  readonly parts: GatewayParts
  readonly call: Call
  readonly signal: AbortSignal
  readonly record: OpenRecord
}

async function gather(bursts: Bursts): Promise<readonly Delta[]> {
  if (Array.isArray(bursts)) return bursts.flat()
  const deltas: Delta[] = []
  for await (const burst of bursts) for (const delta of burst) deltas.push(delta)
  return deltas
}

async function open(job: Job): Promise<Stream> {
  const { call, record } = job
  record.row.kind = call.kind
  record.row.model = call.model
  record.row.stream = call.stream
  const planned = job.parts.planner.plan(call)
  const account = openAccount(planned.baseline, record)
  const work: Work = { ...job, planned, account }
  const { plan } = planned
  if (isSinglePart(call)) return await openWhole(work, plan)
  const [first, ...rest] = plan
  if (first.upstream.oneChoice) return await openParts(work, plan)
  // Where the first takes the call whole, one that would need it split is no stand-in for it.
  return await openWhole(work, [first, ...rest.filter(({ upstream }) => !upstream.oneChoice)])
}

type Work = Job & { readonly planned: Planned; readonly account: Account }

async function openWhole(work: Work, plan: Plan): Promise<Stream> {
  const meter = createMeter(work.call, work.parts.counter)
  work.account.follow(0, meter)
  const answer = await run(work, plan, work.call, 0, meter.note)
  return {
    bursts: answer.bursts,
    async usage() {
      const { usage, estimated } = await meter.settle(answer.usage())
      return noteUsage(work, answer.deployment, usage, estimated)
    },
  }
}

/** Fans a call out, one walk of the plan for each part. */
async function openParts(work: Work, plan: Plan): Promise<Stream> {
  const { call, record, account } = work
  const { counter, limits } = work.parts
  const parts = splitCall(call, limits.choices)
  record.row.parts = parts.length
  const merged = await openParted({
    parts,
    counter,
    limit: limits.fanOut,
    signal: work.signal,
    follow: ({ index }, meter) => account.follow(index, meter),
    run: ({ call: part, index }, signal, note) => run({ ...work, signal }, plan, part, index, note),
  })
  return {
    bursts: merged.bursts,
    async usage() {
      const { usage, estimated } = await merged.usage()
      return noteUsage(work, plan[0], usage, estimated)
    },
  }
}

async function run(work: Work, plan: Plan, call: Call, part: number, note: Meter['note']): Promise<Answer> {
  const { signal, record } = work
  const { clock, random, limits, standings } = work.parts
  const { row, startedAt } = record
  const deadlineMs = Math.min(limits.deadlineMs, call.deadlineMs ?? Number.POSITIVE_INFINITY)
  const deadlineAt = startedAt + deadlineMs
  const bounds = { startedAt, deadlineAt, standings }
  const answer = await walk({ plan, call, part, signal, clock, random, note, record: row, ...bounds })
  row.firstTokenMs ??= record.elapsedMs() - (row.attempts[0]?.startMs ?? 0)
  row.deployment ??= answer.deployment.id
  row.provider ??= answer.deployment.upstream.name
  return answer
}

function noteUsage(
  { record, planned, account }: Work,
  { id }: Deployment,
  usage: Usage,
  isEstimated: boolean,
): Usage {
  record.row.usage = usage
  record.row.usageEstimated = isEstimated
  planned.learn(usage, isEstimated, id)
  account.settle()
  return usage
}
