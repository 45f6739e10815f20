import { getEventListeners } from 'node:events'
import { expect, vi } from 'vitest'
import { createRecorder } from '../../../src/core/account/recorder.ts'
import { type Answer, attempt } from '../../../src/core/attempt/attempt.ts'
import type { CallContext } from '../../../src/core/attempt/call-context.ts'
import type { AttemptParts } from '../../../src/core/attempt/open-attempt.ts'
import { type WalkParts, walk } from '../../../src/core/attempt/walk.ts'
import type { CallSignal } from '../../../src/core/model/call-signal.ts'
import { Failure } from '../../../src/core/model/failure.ts'
import type { Deployment } from '../../../src/core/model/ports.ts'
import type { AttemptRecord } from '../../../src/core/model/record/record.ts'
import type { Plan } from '../../../src/core/plan/router.ts'
import {
  aCall,
  aDeployment,
  bursts,
  readAll,
  type Script,
  type ScriptedUpstream,
  scriptedUpstream,
  textChunk,
  textOf,
  timersClock,
} from '../scripted-upstream.ts'

/** A caller who waits for an answer, and may leave. */
export type Caller = {
  readonly signal: AbortSignal
  /** Why they left, once they have. */
  readonly reason: Failure
  leave(): void
}

export function aCaller(): Caller {
  const controller = new AbortController()
  const reason = new Failure('caller_left', 'The caller left.')
  return { signal: controller.signal, reason, leave: () => controller.abort(reason) }
}

/** What a test changes of an attempt, and of the call that it is one of. */
export type Change<Parts> = Partial<Omit<Parts, 'context'>> & Partial<CallContext>

/** What an attempt needs, of a call that began now, on the clock of the fake timers. */
export function attemptParts(upstream: ScriptedUpstream, change: Change<AttemptParts> = {}): AttemptParts {
  const [context, own] = divided(change)
  return {
    context,
    call: aCall(),
    deployment: aDeployment(upstream),
    signal: aCaller().signal,
    part: 0,
    meter: { note: () => undefined },
    ...own,
  }
}

function divided<Parts>(change: Change<Parts>): [CallContext, Omit<Change<Parts>, keyof CallContext>] {
  const {
    startedAt = timersClock.now(),
    deadlineAt = startedAt + 3_600_000,
    clock = timersClock,
    record = createRecorder([], clock, 1500).open('req_1', 'completions'),
    random = () => 0.5,
    detokenizer,
    standings,
    retryBudget,
    steps,
    ...own
  } = change
  return [{ startedAt, deadlineAt, record, clock, random, detokenizer, standings, retryBudget, steps }, own]
}

/** Nothing is left over of any attempt: no timer, no listener, no upstream that has not cleaned up. */
export async function expectNothingLeft(
  signal: CallSignal,
  ...upstreams: readonly ScriptedUpstream[]
): Promise<void> {
  await turn()
  expect(vi.getTimerCount()).toBe(0)
  expect(getEventListeners(signal as AbortSignal, 'abort')).toEqual([])
  for (const { calls } of upstreams)
    expect(calls.map(({ finalised }) => finalised)).toEqual(calls.map(() => true))
}

/** Lets everything that waits for nothing run. */
export async function turn(): Promise<void> {
  await vi.advanceTimersByTimeAsync(0)
}

/** Whether a promise has settled, and how. */
export function watched<T>(promise: Promise<T>): { state(): 'waiting' | 'fulfilled' | 'rejected' } {
  let state: 'waiting' | 'fulfilled' | 'rejected' = 'waiting'
  promise.then(
    () => {
      state = 'fulfilled'
    },
    () => {
      state = 'rejected'
    },
  )
  return { state: () => state }
}

export function outcomesOf(attempts: readonly AttemptRecord[]): readonly string[] {
  return attempts.map(({ outcome }) => outcome)
}

/** An upstream of that name, with a script for each call. */
export function upstreamNamed(name: string, ...scripts: readonly [Script, ...Script[]]): ScriptedUpstream {
  return scriptedUpstream(scripts, { name })
}

export function answering(text: string): Script {
  return bursts(textChunk(text, 'stop'))
}

/** A walk where the same upstream is the same deployment. */
export function aWalk(upstreams: readonly ScriptedUpstream[], change: Change<WalkParts> = {}): WalkParts {
  const deployments = new Map(
    upstreams.map((each): [ScriptedUpstream, Deployment] => [
      each,
      aDeployment(each, { id: `m@${each.name}` }),
    ]),
  )
  const [first, ...rest] = upstreams.flatMap((each) => deployments.get(each) ?? [])
  if (first === undefined) throw new Error('A plan has at least one deployment.')
  const plan: Plan = [first, ...rest]
  const [context, own] = divided(change)
  return { ...attemptParts(upstreams[0] ?? scriptedUpstream([[]])), plan, ...own, context }
}

/** Walks a plan until an answer is committed to. */
export function walkPlan(parts: WalkParts): Promise<Answer> {
  return walk(parts, attempt)
}

/** The text of the answer, or what was thrown. */
export async function settled(walking: Promise<Answer>): Promise<unknown> {
  try {
    const { bursts: answer } = await walking
    return { text: textOf(await readAll(answer)) }
  } catch (thrown) {
    return thrown
  }
}
