import pTimeout from 'p-timeout'
import { type AttemptParts, type OpenAttempt, openAttempt } from './attempt-trace.ts'
import { Failure } from './failure.ts'
import { fold, unfold } from './fold.ts'
import type { Delta, RawDelta } from './model.ts'
import { createNormalizer, isVisible, type Normalizer } from './normalize.ts'
import type { Deployment } from './ports.ts'
import type { ClaimedUsage } from './usage.ts'

/** An answer that has been committed to: the whole of a JSON reply, or a stream from its first visible delta. */
export type Answer = {
  readonly deployment: Deployment
  /** Bursts to the end of the answer. Rejects with a Failure; ends only when the answer was complete. */
  readonly bursts: AsyncIterable<readonly Delta[]> | Iterable<readonly Delta[]>
  /** What the upstream has told of usage so far; final once `bursts` ended. */
  readonly usage: () => ClaimedUsage | undefined
}

/**
 * Makes one try of a call at one deployment. Resolves when the answer is committed: for a JSON call when the
 * whole of it is in hand, for a stream at the first visible delta. Until then nothing was shown, and a Failure
 * may be answered by trying elsewhere. The upstream's connection is given up on every other way out.
 */
export async function attempt(parts: AttemptParts): Promise<Answer> {
  const open = openAttempt(parts)
  const iterator = send(parts, open)
  const flow: Flow = { ...parts, open, iterator, normalizer: normalizerFor(parts) }
  try {
    return parts.call.stream ? await openStream(flow) : await takeWhole(flow)
  } catch (thrown) {
    throw giveUp(flow, thrown)
  }
}

type Flow = AttemptParts & {
  readonly open: OpenAttempt
  readonly normalizer: Normalizer
  readonly iterator: AsyncIterator<readonly RawDelta[]>
}

function send({ call, deployment }: AttemptParts, open: OpenAttempt): AsyncIterator<readonly RawDelta[]> {
  const upstreamModel = deployment.upstreamModel ?? call.model
  try {
    const bursts = deployment.upstream.send(call, { upstreamModel, signal: open.signal, notes: open.notes })
    return bursts[Symbol.asyncIterator]()
  } catch (thrown) {
    throw open.fail(thrown)
  }
}

function normalizerFor({ call, record, clock }: AttemptParts): Normalizer {
  return createNormalizer({
    kind: call.kind,
    stream: call.stream,
    id: `${call.kind === 'text' ? 'cmpl' : 'chatcmpl'}-${call.id.slice(4, 28)}`,
    createdEpochSeconds: Math.floor(clock.epochMs() / 1000),
    model: call.model,
    flags: record.flags,
  })
}

/** Drops the connection, lets the provider run its own clean-up, and says what to throw. */
function giveUp({ open, iterator }: Flow, thrown: unknown): unknown {
  const reason = open.fail(thrown)
  finalise(iterator)
  return reason
}

/** What comes of a provider's clean-up is of no more interest. */
function finalise(iterator: AsyncIterator<unknown>): void {
  iterator.return?.().catch(() => undefined)
}

/** The headers of a JSON answer come when it is complete: only the total clock applies. */
async function takeWhole(flow: Flow): Promise<Answer> {
  const { deployment, normalizer, open } = flow
  const deltas = await inTime(flow, collect(flow), deployment.clocks.totalMs)
  const reply = fold(deltas)
  if (reply === undefined) throw new Failure('invalid_response', 'The upstream gave an empty answer.')
  open.commit()
  open.end('ok')
  return { deployment, bursts: [[reply]], usage: normalizer.usage }
}

async function collect({ iterator, normalizer }: Flow): Promise<Delta[]> {
  const deltas: Delta[] = []
  for (let step = await iterator.next(); step.done !== true; step = await iterator.next()) {
    for (const delta of normalizer.accept(step.value)) deltas.push(delta)
  }
  normalizer.finish()
  return deltas
}

async function openStream(flow: Flow): Promise<Answer> {
  const { deployment, normalizer, open } = flow
  const { firstTokenMs, totalMs } = deployment.clocks
  const opening = await inTime(flow, untilVisible(flow), Math.min(firstTokenMs, totalMs))
  open.commit()
  return { deployment, bursts: onward(flow, opening), usage: normalizer.usage }
}

type Opening = { readonly deltas: readonly Delta[]; readonly ended: boolean }

/** Deltas up to the burst that holds the first visible one. What comes before it is kept, unseen. */
async function untilVisible({ iterator, normalizer }: Flow): Promise<Opening> {
  const deltas: Delta[] = []
  while (true) {
    const step = await iterator.next()
    if (step.done === true) {
      normalizer.finish()
      return { deltas, ended: true }
    }
    for (const delta of normalizer.accept(step.value)) deltas.push(...unfold(delta))
    if (deltas.some(isVisible)) return { deltas, ended: false }
  }
}

async function inTime<T>(flow: Flow, work: Promise<T>, clockMs: number): Promise<T> {
  const leftMs = Math.min(clockMs, flow.deadlineAt - flow.clock.now())
  // `message: false` spares building an Error, stack and all, for every call that is in time.
  const result = await pTimeout(work, { milliseconds: Math.max(leftMs, 1), message: false })
  if (result === undefined) throw silence(flow)
  return result
}

async function* onward(flow: Flow, opening: Opening): AsyncGenerator<readonly Delta[], void, void> {
  const { iterator, normalizer, open } = flow
  using idle = open.watch(() => silence(flow))
  try {
    yield opening.deltas
    while (!opening.ended) {
      idle.waiting()
      const step = await iterator.next()
      idle.arrived()
      if (step.done === true) {
        normalizer.finish()
        break
      }
      const deltas = normalizer.accept(step.value)
      if (deltas.length > 0) yield deltas
    }
    open.end('ok')
  } catch (thrown) {
    throw open.fail(thrown)
  } finally {
    open.leave()
    finalise(iterator)
  }
}

function silence({ deployment }: Flow): Failure {
  const provider = deployment.upstream.name
  return new Failure('timeout', 'The upstream did not answer in time.', { provider })
}
