import { adaptCall, choicesWanted, isSpelledOut, mostTokensOf, promptsIn } from '../adapt/adapt-call.ts'
import { isRanked } from '../adapt/best-of.ts'
import { inWords } from '../adapt/token-ids.ts'
import { answerIdOf } from '../model/answer-id.ts'
import type { Call, Delta, RawDelta } from '../model/call.ts'
import { Failure } from '../model/failure.ts'
import { fold, unfold } from '../model/fold/fold.ts'
import { createFoldBound } from '../model/fold/fold-bound.ts'
import type { AttemptNotes, Deployment, Sent } from '../model/ports.ts'
import type { ClaimedUsage } from '../model/usage/usage.ts'
import { isVisible } from '../model/visible.ts'
import { createNormalizer, type Normalizer } from '../reply/normalize.ts'
import { withModelName } from '../reply/rename-model.ts'
import { CommittedAnswer, type Flow, finalise, mayBeMissed } from './committed-answer.ts'
import { ignoredFieldIn } from './ignored-fields.ts'
import { inTime } from './in-time.ts'
import { type AttemptParts, type OpenAttempt, openAttempt } from './open-attempt.ts'

/** A committed answer: the whole of a JSON reply, or a stream from its first visible delta on. */
export type Answer = {
  readonly deployment: Deployment
  /**
   * Bursts to the end of the answer; a list if all of it has arrived. Rejects with a Failure; ends only when the answer
   * is complete.
   */
  readonly bursts: Bursts
  /** The usage reported so far; final when `bursts` has ended. */
  readonly usage: () => ClaimedUsage | undefined
}

export type Bursts = AsyncIterable<readonly Delta[]> | readonly (readonly Delta[])[]

/**
 * Makes one attempt of a call at one deployment. Resolves when the answer is committed: a JSON answer when it is whole,
 * a stream at the first visible delta. Until then the caller saw nothing, so after a Failure another deployment may be
 * tried. The upstream's connection is closed on every other way out.
 */
export function attempt(parts: AttemptParts): Promise<Answer> {
  let open: OpenAttempt | undefined
  const failed = (thrown: unknown) => Promise.reject(open?.fail(thrown) ?? thrown)
  try {
    open = openAttempt(parts)
    // Not async: on the hot path an async frame costs about 1 KB per call.
    return isSpelledOut(parts.call, parts.deployment)
      ? sendSpelledOut(parts, open).catch(failed)
      : sendAndTake(parts, open, parts.call)
  } catch (thrown) {
    return failed(thrown)
  }
}

async function sendSpelledOut(parts: AttemptParts, open: OpenAttempt): Promise<Answer> {
  return await sendAndTake(parts, open, await spellOut(parts, open.notes))
}

/** The caller of this ends the attempt if it throws. */
function sendAndTake(parts: AttemptParts, open: OpenAttempt, spelled: Call): Promise<Answer> {
  const { call, deployment } = parts
  const adaptation = adaptCall(spelled, deployment, open.notes)
  parts.context.steps?.shape('upstream request', adaptation.call.body.value)
  const sent = deployment.upstream.send(adaptation.call, {
    id: open.id,
    upstreamModel: deployment.upstreamModel ?? call.model,
    connectMs: deployment.clocks.connectMs,
    isFresh: parts.isFresh,
    trace: open.trace,
    signal: open.signal,
    notes: open.notes,
  })
  const flow: Flow = {
    parts,
    open,
    normalizer: adaptation.read(normalizerFor(parts, adaptation.call, open.notes)),
  }
  open.claims(flow.normalizer)
  return call.stream ? openStream(flow, sent) : takeWhole(flow, sent)
}

async function spellOut(
  { call, context: { detokenizer } }: AttemptParts,
  notes: AttemptNotes,
): Promise<Call> {
  const { prompt: given } = call.body.value
  if (detokenizer === undefined || !Array.isArray(given)) return call
  const prompt = await inWords(given, detokenizer, notes)
  return { ...call, body: call.body.with({ prompt }) }
}

function normalizerFor(
  { call, context, deployment }: AttemptParts,
  adapted: Call,
  notes: AttemptNotes,
): Normalizer {
  const { record, clock } = context
  const normalizer = createNormalizer({
    kind: call.kind,
    stream: call.stream,
    id: answerIdOf(call),
    createdEpochSeconds: Math.floor(clock.epochMs() / 1000),
    model: call.model,
    wanted: choicesWanted(adapted),
    least: leastChoices(adapted),
    mostTokens: mostTokensOf(adapted.body.value),
    noteReason: (unknown) => {
      notes.unknownReason = unknown
    },
    keepsReasoning: deployment.upstream.keepsReasoning,
    flags: record.row.flags,
  })
  const name = deployment.answersAs?.(call.model)
  return name === undefined
    ? normalizer
    : withModelName(normalizer, name, (own) => {
        record.answeredAs(own)
      })
}

/** If choices of a stream with several prompts are missing, it is unknown which choice belongs to which prompt. */
function leastChoices(adapted: Call): number {
  const prompts = promptsIn(adapted.body.value['prompt'])
  return prompts > 1 && adapted.stream && !isRanked(adapted) ? choicesWanted(adapted) : prompts
}

/** The headers of a JSON answer come when it is complete: only the total clock applies. */
function takeWhole(flow: Flow, sent: Sent): Promise<Answer> {
  const { parts } = flow
  const { totalMs } = parts.deployment.clocks
  const failed = (thrown: unknown) => Promise.reject(flow.open.fail(thrown))
  // Both outcomes share one promise; a `catch` behind would be another.
  const commit = (deltas: () => readonly Delta[]) => {
    try {
      return commitWhole(flow, deltas())
    } catch (thrown) {
      return failed(thrown)
    }
  }
  if ('then' in sent) {
    return inTime(parts, sent, totalMs).then((burst) => commit(() => accepted(flow, burst)), failed)
  }
  return inTime(parts, collect(flow, sent), totalMs).then((deltas) => commit(() => deltas), failed)
}

function commitWhole(flow: Flow, deltas: readonly Delta[]): Answer {
  const { parts, normalizer, open } = flow
  const { deployment } = parts
  const whole = fold(deltas)
  if (whole === undefined) throw new Failure('invalid_response', 'The upstream sent an empty answer.')
  const settled = normalizer.settled?.(whole) ?? whole
  const bursts = [[settled]]
  parts.context.steps?.shape('upstream answer', settled.value)
  parts.signal.throwIfAborted()
  // Choices that were not kept were generated too.
  parts.meter.note(deltas)
  noteUnheeded(flow, deltas)
  open.commit()
  open.end()
  return { deployment, bursts, usage: () => normalizer.usage() }
}

/** Reported to the caller in the headers, which are not sent yet. */
function noteUnheeded({ parts, open }: Flow, deltas: readonly Delta[]): void {
  const field = ignoredFieldIn(parts.call, deltas)
  if (field !== undefined) open.notes.dropped.push(field)
}

function accepted({ normalizer, open }: Flow, burst: readonly RawDelta[]): readonly Delta[] {
  const deltas = normalizer.accept(burst)
  const ends = normalizer.finish(open.notes.ending)
  return ends.length === 0 ? deltas : [...deltas, ...ends]
}

async function collect(
  { normalizer, open, parts }: Flow,
  sent: AsyncIterable<readonly RawDelta[]>,
): Promise<readonly Delta[]> {
  const deltas: Delta[] = []
  const bound = createFoldBound()
  try {
    for await (const burst of sent) {
      bound.add(burst)
      for (const delta of normalizer.accept(burst)) deltas.push(delta)
      if (normalizer.isCut?.() === true) break
    }
  } catch (thrown) {
    if (!(normalizer.isFinished() && mayBeMissed(thrown, parts))) throw thrown
  }
  for (const delta of normalizer.finish(open.notes.ending)) deltas.push(delta)
  return deltas
}

async function openStream(flow: Flow, sent: Sent): Promise<Answer> {
  const { parts, normalizer, open } = flow
  const { deployment } = parts
  const { firstTokenMs, totalMs } = deployment.clocks
  const iterator = 'then' in sent ? promised(sent) : sent[Symbol.asyncIterator]()
  try {
    const opening = await inTime(parts, untilVisible(flow, iterator), Math.min(firstTokenMs, totalMs))
    const committed = new CommittedAnswer(flow, opening, iterator)
    if (parts.signal.aborted) await committed.return()
    parts.signal.throwIfAborted()
    noteUnheeded(flow, opening)
    open.commit()
    return { deployment, bursts: committed, usage: () => normalizer.usage() }
  } catch (thrown) {
    const reason = open.fail(thrown)
    finalise(iterator)
    throw reason
  }
}

async function* promised<T>(value: Promise<T>): AsyncGenerator<T, void, void> {
  yield await value
}

/** The deltas up to the burst with the first visible one. Earlier ones are kept and not shown. */
async function untilVisible(
  { normalizer, open }: Flow,
  iterator: AsyncIterator<readonly RawDelta[]>,
): Promise<readonly Delta[]> {
  const deltas: Delta[] = []
  while (true) {
    const step = await iterator.next()
    if (step.done === true) {
      deltas.push(...normalizer.finish(open.notes.ending))
      return deltas
    }
    for (const delta of normalizer.accept(step.value)) {
      // A chunk known by its word is part of a stream: its value need not be made to see that.
      if (delta.word === undefined) deltas.push(...unfold(delta))
      else deltas.push(delta)
    }
    if (deltas.some(isVisible)) return deltas
  }
}
