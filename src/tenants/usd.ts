import { usdText } from '../core/model/price.ts'

/** An amount for people: at least two decimals, without trailing zeros. */
export function shownUsd(nanoUsd: number): string {
  const [whole = '0', decimals = ''] = usdText(nanoUsd).split('.')
  return `$${whole}.${decimals.replace(/0+$/, '').padEnd(2, '0')}`.replace('$-', '-$')
}

/** As in JSON: a number of USD. Its exact twin in whole nano-USD stands beside it. */
export function usdOf(nanoUsd: number): number {
  return nanoUsd / 1e9
}
