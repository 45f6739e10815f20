import { countOf } from '../../text/amounts.ts'
import type { KeyView } from './wire.ts'

/** The limits of rate in words; '' of none. */
export function ratesOf({ rpm, tpm, concurrency }: Pick<KeyView, 'rpm' | 'tpm' | 'concurrency'>): string {
  return [
    rpm !== null && `${countOf(rpm)} requests/min`,
    tpm !== null && `${countOf(tpm)} tokens/min`,
    concurrency !== null && `${countOf(concurrency)} calls at once`,
  ]
    .filter((told) => told !== false)
    .join(', ')
}
