import { type Consumption, costNanoUsd, type Price } from '../../core/model/price.ts'

/** The charges of a simulated upstream per attempt, for comparison with the gateway's costs. */
export interface BillKeeper {
  charge(line: Omit<BillLine, 'nanoUsd'>): void
  /** All charges, oldest first. */
  lines(): readonly BillLine[]
}

export type BillLine = Consumption & {
  /** The attempt, by the gateway's `x-request-id`; undefined if there was none. */
  readonly attempt: string | undefined
  readonly model: string
  /** The cost in whole nano-USD; undefined if the model has no price. */
  readonly nanoUsd: number | undefined
}

/** Returns the price of a model; undefined if it has none. */
export type Tariff = (model: string) => Price | undefined

export function createBill(tariff: Tariff): BillKeeper {
  const lines: BillLine[] = []
  return {
    charge(line) {
      const price = tariff(line.model)
      lines.push({ ...line, nanoUsd: price && costNanoUsd(price, line) })
    },
    lines: () => lines,
  }
}
