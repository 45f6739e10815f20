import { consumptionOf, spendingOf } from '../account/attempt-cost.ts'
import type { OpenRecord } from '../account/open-record.ts'
import type { Recorder } from '../account/recorder.ts'
import type { Gateway, Stream } from '../gateway.ts'
import type { Call, Delta, Reply } from '../model/call.ts'
import type { CallSignal } from '../model/call-signal.ts'
import { fold, unfold } from '../model/fold/fold.ts'
import type { Price } from '../model/price.ts'
import { type CallRecord, startAttempt } from '../model/record/record.ts'
import type { Usage } from '../model/terms.ts'
import type { Coalescer } from './coalesce.ts'
import { fingerprint, isDeterministic } from './fingerprint.ts'
import type { CachedReply } from './kept-reply.ts'
import type { ResponseCache } from './response-cache.ts'
import type { SharedFlight } from './shared-flight.ts'

export type CachedGatewayParts = {
  /** Undefined: no answer is cached. */
  readonly cache: ResponseCache | undefined
  /** Undefined: identical calls are not merged. */
  readonly coalescer: Coalescer<SharedWork> | undefined
  /** Undefined: calls are merged only within this process. */
  readonly flight?: SharedFlight | undefined
  /** Opens the records of shared work. It has no sinks. */
  readonly recorder: Recorder
}

/** Work that several callers wait for, and its record, which belongs to the first caller that claims it. */
export type SharedWork = {
  readonly outcome: { readonly reply: Reply } | { readonly thrown: unknown }
  readonly row: CallRecord
  /** Where it was made, and what it cost. */
  readonly cost: Pick<CallRecord, 'deployment' | 'costNanoUsd' | 'baseline'>
  isClaimed: boolean
}

/**
 * The gateway with a cache and single flight: a call that was answered before, or is being answered now, is not
 * executed again. A reused answer costs nothing; its original cost is recorded as saved.
 */
export function cachedGateway(gateway: Gateway, parts: CachedGatewayParts): Gateway {
  const { cache, coalescer } = parts
  if (cache === undefined && coalescer === undefined) return gateway
  return {
    ...gateway,
    async reply(call, signal, record) {
      const keeps = cache?.accepts(call) ?? false
      // A call with its own deadline is not shared. Nor is a call with a payer: each pays for its own.
      const shares =
        coalescer !== undefined &&
        isDeterministic(call) &&
        call.deadlineMs === undefined &&
        call.tenant?.payer === undefined
      if (!keeps && !shares) return await gateway.reply(call, signal, record)
      const key = fingerprint(call, record.row.owner)
      const kept = keeps ? await cache?.get(key) : undefined
      if (kept !== undefined) return reused(kept, call, record, 'hit')
      const reply = shares
        ? await share(gateway, parts, { key, call, signal, record })
        : await gateway.reply(call, signal, record)
      if (keeps && record.row.cache === undefined) keep(cache, key, reply, record.row)
      return reply
    },
    async stream(call, signal, record) {
      if (cache === undefined || !cache.accepts(call)) return await gateway.stream(call, signal, record)
      const key = fingerprint(call, record.row.owner)
      const kept = await cache.get(key)
      if (kept !== undefined) return replayed(reused(kept, call, record, 'hit'))
      return caching(await gateway.stream(call, signal, record), cache, key, record.row)
    },
  }
}

type KeyedCall = {
  readonly key: string
  readonly call: Call
  readonly signal: CallSignal
  readonly record: OpenRecord
}

async function share(
  gateway: Gateway,
  { coalescer, flight, recorder }: CachedGatewayParts,
  { key, call, signal, record }: KeyedCall,
): Promise<Reply> {
  if (coalescer === undefined) return await gateway.reply(call, signal, record)
  const work = await coalescer.run(key, signal, async (shared) => {
    using open = recorder.open(call.id, call.dialect)
    open.tracedAs(record.row.trace)
    if (flight !== undefined)
      return await shareFlight(gateway, flight, { key, call, signal: shared, record: open })
    const outcome = await outcomeOf(gateway.reply(call, shared, open))
    return { outcome, row: open.row, cost: open.row, isClaimed: false }
  })
  const { outcome, row, cost } = work
  if (!work.isClaimed) {
    work.isClaimed = true
    record.adopts(row)
    if ('thrown' in outcome) throw outcome.thrown
    return outcome.reply
  }
  if ('thrown' in outcome) throw outcome.thrown
  const { deployment = '', costNanoUsd, baseline } = cost
  return reused({ reply: outcome.reply, deployment, costNanoUsd, baseline }, call, record, 'coalesced')
}

/** Single flight across all processes. No caller here pays for another process's work. */
async function shareFlight(
  gateway: Gateway,
  flight: SharedFlight,
  { key, call, signal, record }: KeyedCall,
): Promise<SharedWork> {
  const { row } = record
  try {
    const other = await flight.join(key, signal)
    if (other !== undefined) {
      return { outcome: { reply: other.reply }, row, cost: other, isClaimed: true }
    }
  } catch (thrown) {
    return { outcome: { thrown }, row, cost: row, isClaimed: true }
  }
  const outcome = await outcomeOf(gateway.reply(call, signal, record))
  const { deployment = '', costNanoUsd, baseline } = row
  flight.publish(
    key,
    'thrown' in outcome ? outcome : { reply: outcome.reply, deployment, costNanoUsd, baseline },
  )
  return { outcome, row, cost: row, isClaimed: false }
}

async function outcomeOf(reply: Promise<Reply>): Promise<SharedWork['outcome']> {
  try {
    return { reply: await reply }
  } catch (thrown) {
    return { thrown }
  }
}

/** An answer without cost, recorded as one attempt at the cache. */
function reused(
  { reply, deployment, baseline }: CachedReply,
  call: Call,
  record: OpenRecord,
  how: 'hit' | 'coalesced',
): Reply {
  const attempt = startAttempt({ deployment: 'cache', startMs: record.elapsedMs(), price: free })
  const used = consumptionOf(reply.usage, 0)
  const entry = Object.assign(attempt, { firstTokenMs: 0, used, isDelivered: true, costNanoUsd: 0 })
  record.reuses(how, call, entry)
  record.reusedFrom({ deployment })
  record.used(reply.usage, false)
  record.costs(spendingOf([entry], baseline), baseline)
  return reply
}

const free: Price = {
  inputNanoUsdPerMillion: 0,
  cachedInputNanoUsdPerMillion: undefined,
  outputNanoUsdPerMillion: 0,
  nanoUsdPerSecond: undefined,
}

function keep(cache: ResponseCache | undefined, key: string, reply: Reply, row: CallRecord): void {
  const { deployment = '', costNanoUsd, baseline, owner } = row
  // An answer whose usage was counted here may be cached too.
  cache?.put(key, { reply, deployment, costNanoUsd, baseline }, owner)
}

function replayed(reply: Reply): Stream {
  return { bursts: [unfold(reply.chunk)], usage: async () => reply.usage }
}

/** Passes the stream through, and caches it as one reply when it has ended without a failure. */
function caching(stream: Stream, cache: ResponseCache, key: string, row: CallRecord): Stream {
  const deltas: Delta[] = []
  let isWhole = false
  async function* collecting(): AsyncGenerator<readonly Delta[], void, void> {
    for await (const burst of stream.bursts) {
      for (const delta of burst) deltas.push(delta)
      yield burst
    }
    isWhole = true
  }
  return {
    bursts: collecting(),
    async usage(): Promise<Usage> {
      const usage = await stream.usage()
      const whole = isWhole ? fold(deltas) : undefined
      if (whole !== undefined) keep(cache, key, { chunk: whole, usage }, row)
      return usage
    },
  }
}
