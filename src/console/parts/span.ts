import { query } from '../app/router.ts'

/** A span of time, in epoch milliseconds. `to` is exclusive. */
export type Span = {
  readonly from: number
  readonly to: number
  /** The name of a span that ends now. Undefined: it is another span. */
  readonly name: string | undefined
}

const hourMs = 3_600_000

/** The spans that end now. */
export const spans: readonly { readonly name: string; readonly label: string; readonly ms: number }[] = [
  { name: '1h', label: '1 h', ms: hourMs },
  { name: '24h', label: '24 h', ms: 24 * hourMs },
  { name: '7d', label: '7 d', ms: 168 * hourMs },
  { name: '30d', label: '30 d', ms: 720 * hourMs },
  { name: '90d', label: '90 d', ms: 2160 * hourMs },
]

/** The span in the URL. It ends at `now` unless the URL says otherwise. */
export function spanOf(now: number, otherwise = '24h'): Span {
  const asked = query.value
  const from = Date.parse(asked.get('from') ?? '')
  const to = Date.parse(asked.get('to') ?? '')
  if (!Number.isNaN(from)) return { from, to: Number.isNaN(to) ? now : to, name: undefined }
  const wanted = asked.get('span') ?? otherwise
  const known = spans.find(({ name }) => name === wanted) ?? spans[1]
  return { from: now - (known?.ms ?? 24 * hourMs), to: now, name: known?.name }
}

/** The span before, of the same length. */
export function spanBefore({ from, to }: Span): Span {
  return { from: from - (to - from), to: from, name: undefined }
}

/** As an input of type datetime-local needs it: in local time, without seconds. */
export function localOf(epochMs: number): string {
  const shifted = epochMs - new Date(epochMs).getTimezoneOffset() * 60_000
  return new Date(shifted).toISOString().slice(0, 16)
}
