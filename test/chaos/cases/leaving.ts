import { strict as assert } from 'node:assert'
import { setTimeout } from 'node:timers/promises'
import type { Caller, Leaving } from '../caller.ts'
import type { FaultCase } from '../fault-case.ts'
import { deploymentId, type Link, type Routes, type Stage } from '../harness.ts'
import { see } from '../sights.ts'
import { answerWords } from '../upstream/answer.ts'
import { wordsBefore } from '../upstream/stream-faults.ts'

/** Where in a call its caller leaves. */
type Phase = {
  readonly name: string
  readonly link: Link
  readonly stream: boolean
  /** Resolves when so many callers more are in that phase. */
  readonly reached: (arrived: Arrived) => Promise<void>
  /** Whether the upstream had their requests, and so must see each given up. */
  readonly isAsked: boolean
  /** They wait for a second attempt, which not every call gets. */
  readonly isRetried?: boolean
  readonly prepare?: (stage: Stage, model: string) => Promise<Caller>
}

type Arrived = {
  readonly stage: Stage
  readonly callers: readonly Caller[]
  readonly model: string
  readonly link: Link
  /** How many requests the upstream had before. */
  readonly before: number
}

const upstreamName = (model: string, { says }: Link) => `${says}/${model}.0`

const phases: readonly Phase[] = [
  {
    name: 'while it connects',
    link: { says: 'whole', at: 'blackhole' },
    stream: false,
    reached: started,
    isAsked: false,
  },
  {
    name: 'in the queue of a full upstream',
    link: { says: 'silent', at: 'narrow' },
    stream: true,
    reached: started,
    isAsked: false,
    async prepare(stage, model) {
      const holder = stage.call({ model })
      await stage.upstream.until(() => stage.upstream.hits(`silent/${model}.0`) === 1)
      return holder
    },
  },
  { name: 'waiting for an answer', link: { says: 'silent' }, stream: false, reached: asked, isAsked: true },
  { name: 'waiting for a stream', link: { says: 'silent' }, stream: true, reached: asked, isAsked: true },
  {
    name: 'between the headers and the first token',
    link: { says: 'role-then-silence' },
    stream: true,
    reached: asked,
    isAsked: true,
  },
  {
    name: 'between two attempts',
    link: { says: 'limited-ten', retries: 2 },
    stream: true,
    reached: refused,
    isAsked: false,
    isRetried: true,
  },
  {
    name: 'in the middle of a stream',
    link: { says: 'stall-after' },
    stream: true,
    async reached({ callers }) {
      const last = answerWords[wordsBefore - 1] ?? ''
      await Promise.all(callers.map((caller) => caller.until((heard) => heard.includes(last))))
    },
    isAsked: true,
  },
]

/** Fault 26: in every phase of a call, by a polite end and by a reset. */
export const leavingCases: readonly FaultCase[] = [
  ...phases.flatMap((phase, at) =>
    (['FIN', 'RST'] as const).map((how): FaultCase => {
      const model = `f26.${at}-${how}`
      return {
        fault: 26,
        name: `${phase.name}, by ${how}`,
        outcome: phase.isAsked
          ? 'the upstream is given up, each time; `left`, 499; no breaker moves'
          : 'nothing is asked any more; `left`, 499; no breaker moves',
        routes: routesOf(model, phase.link),
        play: (stage) => leaveAll(stage, phase, model, how),
      }
    }),
  ),
  {
    fault: 26,
    name: 'in the middle of a stream of an upstream with `onAbort: drain`',
    outcome: 'read to its end without a caller: `left`, 499, and what it cost is exact',
    routes: { 'f26.thorough': [{ says: 'unhurried', at: 'thorough' }] },
    async play(stage) {
      const caller = stage.call({ model: 'f26.thorough', stream: true })
      await caller.until((heard) => heard.includes(answerWords[0]))
      caller.leave('RST')
      await stage.gateway.recorded(1, 'f26.thorough')
      const [row] = stage.gateway.rows.values()
      assert.deepEqual([row?.outcome, row?.status, row?.costEstimated], ['left', 499, false])
      assert.equal(row?.attempts[0]?.used?.completionTokens, answerWords.length)
      assert.equal(stage.upstream.abandoned('unhurried/f26.thorough.0'), 0)
      await stage.rest()
    },
  },
]

/** Beside the model itself, one that is answered there: what may be tried again is a part of all that is asked. */
function routesOf(model: string, link: Link): Routes {
  const shares = model.replace('.', '-')
  return { [model]: [{ ...link, shares }], [`${model}.sound`]: [{ ...link, says: 'whole', shares }] }
}

const atOnce = 50
const longCalls = 1000

async function leaveAll(stage: Stage, phase: Phase, model: string, how: Leaving): Promise<void> {
  const { upstream } = stage
  const link = { ...phase.link, shares: model.replace('.', '-') }
  const name = upstreamName(model, link)
  const calls = stage.isLong ? longCalls : atOnce
  const holder = await phase.prepare?.(stage, model)
  let slowestMs = 0
  for (let left = calls; left > 0; left -= atOnce) {
    if (phase.isRetried === true) await earnRetries(stage, `${model}.sound`)
    const before = upstream.hits(name)
    const callers = Array.from({ length: atOnce }, () => stage.call({ model, stream: phase.stream }))
    await phase.reached({ stage, callers, model, link, before })
    const leftAt = performance.now()
    for (const caller of callers) caller.leave(how)
    if (!phase.isAsked) continue
    await upstream.until(() => upstream.abandoned(name) === upstream.hits(name))
    slowestMs = Math.max(slowestMs, performance.now() - leftAt)
  }
  if (phase.isAsked) {
    const told = `${calls} callers left ${phase.name}, by ${how}, fifty at a time`
    stage.note(`${told}: fifty upstream requests were given up within ${Math.ceil(slowestMs)} ms.`)
  }
  await stage.gateway.recorded(calls, model)
  assert.equal(upstream.abandoned(name), phase.isAsked ? calls : 0)
  for (const { model: called, outcome, status, failure } of stage.gateway.rows.values()) {
    if (called === model) assert.deepEqual([outcome, status, failure?.kind], ['left', 499, 'caller_left'])
  }
  const { breaker, failed } = await stage.deployment(deploymentId(model, 0, link))
  assert.deepEqual([breaker, failed], ['closed', 0])
  holder?.leave('FIN')
  await stage.rest()
}

/** The gateway has taken all of their calls. The one of a holder is not counted as theirs. */
async function started({ stage, callers }: Arrived): Promise<void> {
  while ((await stage.metric('pandotate_calls_in_flight')) < callers.length) await setTimeout(pollMs)
}

async function asked({ stage: { upstream }, callers, model, link, before }: Arrived): Promise<void> {
  await upstream.until(() => upstream.hits(upstreamName(model, link)) === before + callers.length)
}

/** Refused, and the refusal read: each waits for its second try. */
async function refused({ stage, callers, model, link, before }: Arrived): Promise<void> {
  const id = deploymentId(model, 0, link)
  while ((await stage.deployment(id)).limited < before + callers.length) await setTimeout(pollMs)
}

/** Enough calls that are answered there for each of a batch to be allowed a second try. */
async function earnRetries(stage: Stage, model: string): Promise<void> {
  let left = atOnce * 5
  const asking = async () => {
    while (left-- > 0) see(await stage.ask({ model }), 'whole', 'text', false)
  }
  await Promise.all(Array.from({ length: 8 }, asking))
}

const pollMs = 5
