import type { MeteredUsage } from '../account/meter.ts'
import { choicesWanted, promptsIn } from '../adapt/adapt-call.ts'
import { isRanked } from '../adapt/best-of.ts'
import type { Bursts } from '../attempt/attempt.ts'
import type { Call, Delta } from '../model/call.ts'
import { JsonText } from '../model/json/json-text.ts'
import type { Usage } from '../model/terms.ts'
import { writeUsage } from '../model/usage.ts'
import { type ChunkIdentity, identityOf, type Part, splitCall } from './fan-out.ts'
import type { RunningParts } from './run-parts.ts'

type Answered = { readonly bursts: Bursts; usage(): Usage | Promise<Usage> }

/**
 * Completes an answer that has fewer choices than requested: some servers always give one. Missing choices are
 * requested one by one after the answer has ended, and appended. Returns the answer itself if none can be missing.
 */
export function withMissingChoices<Answer extends Answered>(
  call: Call,
  answer: Answer,
  ask: (missing: readonly [Part, ...Part[]]) => Promise<RunningParts>,
  noted: (metered: MeteredUsage) => Usage,
): Answer | Answered {
  const wanted = choicesWanted(call)
  // With several prompts it is unknown which choice belongs to which prompt if some are missing.
  if (wanted === 1 || isRanked(call) || promptsIn(call.body.value['prompt']) > 1) return answer
  const told = new Set<number>()
  if (Array.isArray(answer.bursts)) {
    for (const delta of answer.bursts.flat()) noteChoices(delta, told)
    if (told.size >= wanted) return answer
  }
  let more: RunningParts | undefined
  return {
    bursts: completed(answer.bursts, told, async () => {
      const [first, ...others] = splitCall(call, wanted).filter(({ index }) => !told.has(index))
      if (first === undefined) return undefined
      more = await ask([first, ...others])
      return more.bursts
    }),
    async usage() {
      const own = await answer.usage()
      if (more === undefined) return own
      const { usage, estimated } = await more.usage()
      const completionTokens = own.completion_tokens + usage.completion_tokens
      return noted({ usage: writeUsage({}, own.prompt_tokens, completionTokens), estimated })
    },
  }
}

async function* completed(
  bursts: Bursts,
  told: Set<number>,
  others: () => Promise<AsyncIterable<readonly Delta[]> | undefined>,
): AsyncGenerator<readonly Delta[], void, void> {
  let identity: ChunkIdentity | undefined
  for await (const burst of bursts) {
    for (const delta of burst) noteChoices(delta, told)
    const [first] = burst
    if (first !== undefined) identity ??= identityOf(first)
    yield burst
  }
  const missing = await others()
  if (missing === undefined) return
  for await (const burst of missing) {
    yield identity === undefined ? burst : burst.map((delta) => JsonText.of({ ...delta.value, ...identity }))
  }
}

function noteChoices({ value: { choices } }: Delta, told: Set<number>): void {
  for (const { index } of choices) told.add(index)
}
