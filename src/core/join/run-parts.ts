import { createMeter, type Meter, type MeteredUsage } from '../account/meter.ts'
import type { Answer } from '../attempt/attempt.ts'
import type { Delta } from '../model/call.ts'
import { type CallSignal, controllerUnder } from '../model/call-signal.ts'
import { Failure } from '../model/failure.ts'
import type { TokenCounter } from '../model/ports.ts'
import type { Usage } from '../model/terms.ts'
import { addUsage, writeUsage } from '../model/usage/usage.ts'
import { type ChunkIdentity, identityOf, type Part, placeDelta } from './fan-out.ts'
import { merge } from './merge.ts'

/** The answers to the parts of one call, joined. */
export type RunningParts = {
  /** The deltas of all parts as they arrive, each with its index in the answer and the common id. */
  readonly bursts: AsyncIterable<readonly Delta[]>
  /** Summed over the parts; a prompt counts once. Call it after `bursts` has ended. */
  usage(): Promise<MeteredUsage>
}

export type RunPartsContext = {
  readonly parts: readonly Part[]
  readonly counter: TokenCounter
  /** How many parts run at once. */
  readonly limit: number
  readonly signal: CallSignal
  /** Called with each part's meter before it runs. */
  readonly follow?: ((part: Part, meter: Meter) => void) | undefined
  /** Runs one part; notes the deltas of its answer in `meter`. */
  run(part: Part, signal: AbortSignal, meter: Pick<Meter, 'note'>): Promise<Answer>
}

/**
 * Runs the parts of a call side by side. Resolves when the first of them commits. When one fails, the others are
 * cancelled and the whole call fails with it.
 */
export async function runParts({
  parts,
  counter,
  limit,
  signal,
  follow,
  run,
}: RunPartsContext): Promise<RunningParts> {
  const siblings = controllerUnder(signal)
  const running = parts.map(
    (part): RunningPart => ({ part, meter: createMeter(part.call, counter), answer: undefined }),
  )
  for (const { part, meter } of running) follow?.(part, meter)
  const tasks = running.map((one) => async () => {
    one.answer = await run(one.part, siblings.signal, one.meter)
    return one.answer.bursts
  })
  const failed = () =>
    siblings.abort(new Failure('superseded', 'Another part of the answer failed, so this one was cancelled.'))
  const bursts = placed(running, merge(tasks, limit, failed), siblings)
  const first = await bursts.next()
  return { bursts: resume(first, bursts), usage: () => sumUsage(running) }
}

type RunningPart = { readonly part: Part; readonly meter: Meter; answer: Answer | undefined }

async function* placed(
  running: readonly RunningPart[],
  merged: ReturnType<typeof merge<readonly Delta[]>>,
  siblings: AbortController,
): AsyncGenerator<readonly Delta[], void, void> {
  let identity: ChunkIdentity | undefined
  try {
    for await (const { position, value } of merged) {
      const one = running[position]
      const [first] = value
      if (one === undefined || first === undefined) continue
      identity ??= identityOf(first)
      const shared = identity
      yield value.map((delta) => placeDelta(delta, one.part, shared))
    }
  } finally {
    // The reader left: the other parts are not recorded as failed.
    siblings.abort(new Failure('caller_left', 'The rest of the answer is no longer needed.'))
  }
}

async function* resume<T>(
  first: IteratorResult<T, void>,
  rest: AsyncGenerator<T, void, void>,
): AsyncGenerator<T, void, void> {
  try {
    if (first.done === true) return
    yield first.value
    yield* rest
  } finally {
    await rest.return()
  }
}

async function sumUsage(running: readonly RunningPart[]): Promise<MeteredUsage> {
  const settled = await Promise.all(running.map(({ meter, answer }) => meter.settle(answer?.usage())))
  const prompts = new Set<number>()
  const usages = settled.map(({ usage }, at): Usage => {
    const promptIndex = running[at]?.part.promptIndex ?? at
    const counted = prompts.has(promptIndex)
    prompts.add(promptIndex)
    return counted ? writeUsage({}, 0, usage.completion_tokens) : usage
  })
  return { usage: addUsage(usages), estimated: settled.some(({ estimated }) => estimated) }
}
