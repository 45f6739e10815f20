import { Stat } from '../../parts/stat.tsx'
import { changeOf, countOf, durationOf, shareOf, usdOf } from '../../text/amounts.ts'
import type { Usage, UsageRow } from './usage.ts'

/** The totals of a span, compared with the span before. */
export function Totals({ usage }: { usage: Usage }) {
  const [now] = usage.data
  const before = usage.before?.data[0]
  if (now === undefined) return null
  const change = (of: (row: UsageRow) => number | null) => {
    const [new_, old] = [of(now), before === undefined ? null : of(before)]
    return new_ === null || old === null ? undefined : changeOf(new_, old)
  }
  const tokens = (row: UsageRow) => row.tokens_prompt + row.tokens_completion
  return (
    <>
      <dl class="stats">
        <Stat
          name="Spent"
          value={usdOf(now.cost)}
          change={change(({ cost }) => cost)}
          note={now.uncertain > 0 ? `${usdOf(now.uncertain)} more may have been charged` : undefined}
        />
        <Stat
          name="Saved"
          value={usdOf(now.saved)}
          change={change(({ saved }) => saved)}
          note={
            now.baseline > 0
              ? `${shareOf(now.saved, now.baseline)} of ${usdOf(now.baseline)} at the baseline`
              : undefined
          }
        />
        <Stat name="Requests" value={countOf(now.requests)} change={change(({ requests }) => requests)} />
        <Stat
          name="Errors"
          value={countOf(now.errors)}
          change={change(({ errors }) => errors)}
          note={`${shareOf(now.errors, now.requests)} of requests`}
        />
        <Stat
          name="Tokens"
          value={countOf(tokens(now))}
          change={change(tokens)}
          note={`${countOf(now.tokens_prompt)} in, ${countOf(now.tokens_completion)} out, ${shareOf(now.tokens_cached, now.tokens_prompt)} cached`}
        />
        <Stat
          name="First token"
          value={durationOf(now.first_token_p50_ms)}
          change={change((row) => row.first_token_p50_ms)}
          note={`p95 ${durationOf(now.first_token_p95_ms)}, p99 ${durationOf(now.first_token_p99_ms)}`}
        />
        <Stat
          name="Whole answer"
          value={durationOf(now.latency_p50_ms)}
          change={change((row) => row.latency_p50_ms)}
          note={`p95 ${durationOf(now.latency_p95_ms)}, p99 ${durationOf(now.latency_p99_ms)}`}
        />
      </dl>
      <p class="muted small">
        Changes compare with the span before, of the same length. Durations are medians. Spans are counted in
        whole hours.
      </p>
    </>
  )
}
