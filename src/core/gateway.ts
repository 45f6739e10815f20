import type { Answer, Bursts } from './attempt.ts'
import { isSinglePart, splitCall } from './fan-out.ts'
import { fold } from './fold.ts'
import { createMeter, type Meter } from './meter.ts'
import type { Call, Delta, Reply, Usage } from './model.ts'
import { openParted } from './parted.ts'
import type { Clock, Random, TokenCounter } from './ports.ts'
import type { OpenRecord } from './recorder.ts'
import type { ListedModel, Plan, Router } from './router.ts'
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
  models(): readonly ListedModel[]
  ownerOf(model: string): string | undefined
}

export type Stream = {
  readonly bursts: Bursts
  /** The usage of the whole answer, also noted in the record; to be called once, after `bursts` ended. */
  usage(): Promise<Usage>
}

export type GatewayParts = {
  readonly router: Router
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
  const { router } = parts
  return {
    async reply(call, signal, record) {
      const { bursts, usage } = await open({ parts, call, signal, record })
      const reply = fold(await gather(bursts))
      if (reply === undefined) throw new TypeError('A committed answer holds at least one delta.')
      return { chunk: reply.chunk, source: reply.source, usage: await usage() }
    },
    stream: (call, signal, record) => open({ parts, call, signal, record }),
    models: () => router.models(),
    ownerOf: (model) => router.ownerOf(model),
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
  const plan = job.parts.router.plan(call.model, call.credential)
  if (isSinglePart(call)) return await openWhole(job, plan)
  const [first, ...rest] = plan
  if (first.upstream.oneChoice) return await openParts(job, plan)
  // Where the first takes the call whole, one that would need it split is no stand-in for it.
  return await openWhole(job, [first, ...rest.filter(({ upstream }) => !upstream.oneChoice)])
}

async function openWhole(job: Job, plan: Plan): Promise<Stream> {
  const meter = createMeter(job.call, job.parts.counter)
  const answer = await run(job, plan, job.call, 0, meter.note)
  return {
    bursts: answer.bursts,
    async usage() {
      const { usage, estimated } = await meter.settle(answer.usage())
      return noteUsage(job, usage, estimated)
    },
  }
}

/** Fans a call out, one walk of the plan for each part. */
async function openParts(job: Job, plan: Plan): Promise<Stream> {
  const { call, record } = job
  const { counter, limits } = job.parts
  const parts = splitCall(call, limits.choices)
  record.row.parts = parts.length
  const merged = await openParted({
    parts,
    counter,
    limit: limits.fanOut,
    signal: job.signal,
    run: ({ call, index }, signal, note) => run({ ...job, signal }, plan, call, index, note),
  })
  return {
    bursts: merged.bursts,
    async usage() {
      const { usage, estimated } = await merged.usage()
      return noteUsage(job, usage, estimated)
    },
  }
}

async function run(job: Job, plan: Plan, call: Call, part: number, note: Meter['note']): Promise<Answer> {
  const { signal, record } = job
  const { clock, random, limits } = job.parts
  const { row, startedAt } = record
  const deadlineMs = Math.min(limits.deadlineMs, call.deadlineMs ?? Number.POSITIVE_INFINITY)
  const deadlineAt = startedAt + deadlineMs
  const bounds = { startedAt, deadlineAt }
  const answer = await walk({ plan, call, part, signal, clock, random, note, record: row, ...bounds })
  row.firstTokenMs ??= record.elapsedMs() - (row.attempts[0]?.startMs ?? 0)
  row.deployment ??= answer.deployment.id
  row.provider ??= answer.deployment.upstream.name
  return answer
}

function noteUsage({ record }: Job, usage: Usage, estimated: boolean): Usage {
  record.row.usage = usage
  record.row.usageEstimated = estimated
  return usage
}
