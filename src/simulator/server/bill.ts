import { type Consumption, costNanoUsd, type Price } from '../../core/model/price.ts'

/** What a simulated upstream would have charged per attempt: the other side's view of the money. */
export interface BillBook {
  charge(line: Omit<BillLine, 'nanoUsd'>): void
  /** All charges, oldest first. */
  lines(): readonly BillLine[]
}

export type BillLine = Consumption & {
  /** The attempt, by the gateway's `x-request-id`; undefined if there was none. */
  readonly attempt: string | undefined
  readonly model: string
  /** Whole nano-USD; undefined if the model has no price. */
  readonly nanoUsd: number | undefined
}

/** The price of each model; undefined if it has none. */
export type Tariff = (model: string) => Price | undefined

export function openBill(tariff: Tariff): BillBook {
  const lines: BillLine[] = []
  return {
    charge(line) {
      const price = tariff(line.model)
      lines.push({ ...line, nanoUsd: price && costNanoUsd(price, line) })
    },
    lines: () => lines,
  }
}
