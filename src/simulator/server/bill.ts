import { type Consumption, costNanoUsd, type Price } from '../../core/model/price.ts'

/** What a simulated upstream would have charged, attempt by attempt: the other side's word on the money. */
export interface BillBook {
  charge(line: Omit<BillLine, 'nanoUsd'>): void
  /** All charges, oldest first. */
  lines(): readonly BillLine[]
}

export type BillLine = Consumption & {
  /** The attempt, as the gateway named it in `x-request-id`; undefined when it named none. */
  readonly attempt: string | undefined
  readonly model: string
  /** Whole nano-USD; undefined where the model has no price. */
  readonly nanoUsd: number | undefined
}

/** What each model costs; undefined for one without a price. */
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
