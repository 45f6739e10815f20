import { query, urlOf } from '../../app/router.ts'
import type { Span } from '../../parts/span.ts'

/** A row of `GET /admin/api/usage`. */
export type UsageRow = Readonly<Record<Dimension | 'hour' | 'day', string | null>> & {
  readonly requests: number
  readonly errors: number
  readonly tokens_prompt: number
  readonly tokens_cached: number
  readonly tokens_completion: number
  readonly tokens_reasoning: number
  readonly cost: number
  readonly uncertain: number
  readonly baseline: number
  readonly saved: number
  readonly latency_p50_ms: number | null
  readonly latency_p95_ms: number | null
  readonly latency_p99_ms: number | null
  readonly first_token_p50_ms: number | null
  readonly first_token_p95_ms: number | null
  readonly first_token_p99_ms: number | null
}

export type Usage = {
  readonly data: readonly UsageRow[]
  readonly before?: { readonly data: readonly UsageRow[] }
}

/** What calls can be grouped and filtered by. */
export const dimensions = {
  model: 'Model',
  key: 'Key',
  team: 'Team',
  provider: 'Provider',
  deployment: 'Deployment',
  tags: 'Tag',
} as const

export type Dimension = keyof typeof dimensions | 'failure'

/** The request for a span, filtered as in the URL. */
export function usagePath(span: Span, asked: Readonly<Record<string, string>>): string {
  const narrowed = Object.keys(dimensions).flatMap((name) => {
    const value = query.value.get(name)
    return value === null ? [] : [[name, value] as const]
  })
  const { from, to } = span
  return urlOf('/admin/api/usage', {
    ...{ from: new Date(from).toISOString(), to: new Date(to).toISOString() },
    ...Object.fromEntries(narrowed),
    ...asked,
  })
}

/** The hours or days of a span, in UTC as in the ledger, with their rows. */
export function series(
  rows: readonly UsageRow[],
  { from, to }: Span,
  step: 'hour' | 'day',
): { readonly times: readonly number[]; readonly rows: readonly (UsageRow | undefined)[] } {
  const stepMs = step === 'hour' ? 3_600_000 : 86_400_000
  const known = new Map(rows.map((row) => [Date.parse(row[step] ?? ''), row]))
  const times: number[] = []
  for (let at = from - (from % stepMs); at < to; at += stepMs) times.push(at)
  return { times, rows: times.map((at) => known.get(at)) }
}

/** Hours if there are few enough to tell them apart. */
export function stepOf({ from, to }: Span): 'hour' | 'day' {
  return to - from <= 72 * 3_600_000 ? 'hour' : 'day'
}
