import type { MeteredUsage } from '../account/meter.ts'
import { choicesWanted, promptsIn } from '../adapt/adapt-call.ts'
import { isRanked } from '../adapt/best-of.ts'
import type { Bursts } from '../attempt/attempt.ts'
import type { Call, Delta } from '../model/call.ts'
import { Failure } from '../model/failure.ts'
import { JsonText } from '../model/json/json-text.ts'
import type { Usage } from '../model/terms.ts'
import { writeUsage } from '../model/usage/usage.ts'
import { type ChunkIdentity, identityOf, type Part, splitCall } from './fan-out.ts'
import type { RunningParts } from './run-parts.ts'

type Answered = { readonly bursts: Bursts; usage(): Usage | Promise<Usage> }

/**
 * Completes an answer that has fewer choices than requested: some servers always give one. Missing choices are
 * requested one by one after the answer has ended, and appended. Returns the answer itself if none can be missing, and
 * for a stream of several prompts, which the normalizer refuses if it falls short.
 */
export function withMissingChoices<Answer extends Answered>(
  call: Call,
  answer: Answer,
  ask: (missing: readonly [Part, ...Part[]]) => Promise<RunningParts>,
  noted: (metered: MeteredUsage) => Usage,
): Answer | Answered {
  const wanted = choicesWanted(call)
  const prompts = promptsIn(call.body.value['prompt'])
  if (wanted === prompts || isRanked(call)) return answer
  const seen = new Set<number>()
  let { bursts } = answer
  if (Array.isArray(bursts)) {
    const deltas: readonly Delta[] = bursts.flat()
    for (const delta of deltas) noteChoices(delta, seen)
    if (seen.size >= wanted) return answer
    if (prompts > 1) {
      bursts = [deltas.map(firstOfEach(seen.size, { wanted, prompts }))]
      seen.clear()
    }
  } else if (prompts > 1) return answer
  let more: RunningParts | undefined
  return {
    bursts: completed(bursts, seen, async () => {
      const [first, ...others] = splitCall(call, wanted).filter(({ index }) => !seen.has(index))
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

/**
 * If there is one choice per prompt, each is the first choice of its prompt. For any other number, it is unknown which
 * choice belongs to which prompt.
 */
function firstOfEach(
  count: number,
  { wanted, prompts }: { readonly wanted: number; readonly prompts: number },
) {
  if (count !== prompts) {
    throw new Failure(
      'invalid_response',
      `The upstream gave ${count} of the ${wanted} choices that were requested.`,
    )
  }
  const perPrompt = wanted / prompts
  return ({ value }: Delta): Delta =>
    JsonText.of({
      ...value,
      choices: value.choices.map((choice) => ({ ...choice, index: choice.index * perPrompt })),
    })
}

async function* completed(
  bursts: Bursts,
  seen: Set<number>,
  others: () => Promise<AsyncIterable<readonly Delta[]> | undefined>,
): AsyncGenerator<readonly Delta[], void, void> {
  let identity: ChunkIdentity | undefined
  for await (const burst of bursts) {
    for (const delta of burst) noteChoices(delta, seen)
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

function noteChoices({ value: { choices } }: Delta, seen: Set<number>): void {
  for (const { index } of choices) seen.add(index)
}
