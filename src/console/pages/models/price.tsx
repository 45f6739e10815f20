import { usdOf } from '../../text/amounts.ts'
import type { Price } from './wire.ts'

/** What a deployment charges, the source of the price, and its date. */
export function PriceTag({ of: price }: { of: Price | null }) {
  if (price === null) return <span class="muted">not known</span>
  const perMillion = (nano: number | null) => (nano === null ? '–' : usdOf(nano / 1e9))
  const { input_nano_usd_per_million: input, output_nano_usd_per_million: output } = price
  const { nano_usd_per_second: second, nano_usd_per_request: request } = price
  const { cached_input_nano_usd_per_million: cached } = price
  const parts = [
    (input !== null || output !== null) && `${perMillion(input)} in, ${perMillion(output)} out per M tokens`,
    cached !== null && cached !== input && `${perMillion(cached)} cached`,
    second !== null && `${usdOf(second / 1e9)} a second`,
    request !== null && request !== 0 && `${usdOf(request / 1e9)} a call`,
  ].filter((part) => part !== false)
  return (
    <>
      {parts.join(', ')}
      <br />
      <span class="muted small">{sourceOf(price)}</span>
    </>
  )
}

function sourceOf({ source, said_by: saidBy, as_of: asOf, since, firm }: Price): string {
  if (source === null || source === undefined || source === 'own') return 'of the configuration'
  const of = source === 'listed' ? `the list of ${saidBy ?? 'the provider'}` : 'the catalogue'
  const day = asOf ?? since
  return `${of}${day ? `, ${day}` : ''}${firm === false ? ', not confirmed' : ''}`
}
