import type { PriceEntry } from './price-book.ts'

/**
 * What a second on a machine of the provider's costs, by its type, for models that are paid by the time they work; the
 * entry's model is the machine's name. Each has the day from which it is known to hold.
 */
export const hardwarePrices: readonly PriceEntry[] = [
  ...serverless([
    ['16GB', '0.00016'],
    ['24GB', '0.00019'],
  ]),
  // From 0.00034 to 0.00053 by the card: the dearest, so that nobody is surprised.
  ...serverless([['48GB', '0.00053']], false),
  ...serverless([
    ['4090', '0.00031'],
    ['A100', '0.00076'],
    ['H100', '0.00116'],
    ['H200', '0.00155'],
    ['B200', '0.00240'],
  ]),
  ...dedicated([
    ['L4', '0.85'],
    ['A10G', '1.21'],
    ['H100-MIG', '3.75'],
    ['A100', '4.00'],
    ['H100', '6.50'],
    ['B200', '9.98'],
  ]),
]

/** The hardware that providers of this type have prices for. */
export function hardwareNames(type: string): readonly string[] {
  return hardwarePrices.flatMap(({ provider, model }) => (provider === type ? [model] : []))
}

type Rows = readonly (readonly [name: string, work: string])[]

/** RunPod's serverless workers, in USD per second. */
function serverless(rows: Rows, isFirm = true): readonly PriceEntry[] {
  return rows.map(([model, work]) => ({
    ...{ provider: 'runpod', model, from: '2026-08-20', source: 'RunPod documentation, August 2026', isFirm },
    price: { unit: 'usd_per_second', work },
  }))
}

/** Baseten's deployments, in USD per hour; it charges by the minute. */
function dedicated(rows: Rows): readonly PriceEntry[] {
  return rows.map(([model, work]) => ({
    ...{ provider: 'baseten', model, from: '2026-09-01', source: 'a third party, September 2026' },
    ...{ price: { unit: 'usd_per_hour', work }, isFirm: false },
  }))
}
