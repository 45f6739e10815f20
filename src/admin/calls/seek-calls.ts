import type { CallPlace, CallsPage, CallsQuestion } from '../../ledger/store/calls.ts'
import { type Dimension, dayMs, singleDimensions } from '../../ledger/store/rollup.ts'
import { answered, type LedgerParts, readerOf } from '../ledger-access.ts'

/**
 * A page of calls. Calls that no index finds are searched in bounded parts, for a bounded time. Days without such calls
 * in the rollups are skipped.
 */
export async function seekCalls(question: CallsQuestion, parts: LedgerParts): Promise<CallsPage> {
  const reader = readerOf(parts)
  const until = parts.now() + seekForMs
  const calls: CallsPage['calls'][number][] = []
  let { before } = question
  for (;;) {
    const part = { ...question, before, limit: question.limit - calls.length }
    const page = await answered(reader.calls(part))
    calls.push(...page.calls)
    if (page.searchedTo === undefined) return { calls, searchedTo: undefined }
    before = await passedOver(question, page.searchedTo, parts)
    if (parts.now() >= until) return { calls, searchedTo: before }
  }
}

/** Together with the last query it stays below 100 ms. */
const seekForMs = 30

/** Where the next call of these names can be: before `place`, or on an earlier day. */
async function passedOver(
  { from = 0, filters }: CallsQuestion,
  place: CallPlace,
  parts: LedgerParts,
): Promise<CallPlace> {
  const named: Partial<Record<Dimension, string>> = Object.fromEntries(
    singleDimensions.flatMap((name) => {
      const value = filters[name]
      return value === undefined ? [] : [[name, value]]
    }),
  )
  if (Object.keys(named).length === 0 || place.at <= from) return place
  const span = { from, to: place.at + 1, withHistograms: false, limit: 100_000 } as const
  const ask = async (by: readonly 'day'[], of: typeof named) =>
    await answered(readerOf(parts).usage({ ...span, by, filters: of }))
  const [all] = await ask([], named)
  if ((all?.sums[0] ?? 0) > 0) {
    if (Object.keys(named).length > 1) return place
    const [last] = (await ask(['day'], named)).slice(-1)
    const end = Number(last?.names[0]) + dayMs
    return end <= place.at ? { at: end, id: '' } : place
  }
  // Rollups may be kept for a shorter time than calls.
  const [oldest] = await ask(['day'], {})
  const start = oldest === undefined ? place.at : Math.max(from, Number(oldest.names[0]))
  return start < place.at ? { at: start, id: '' } : place
}
