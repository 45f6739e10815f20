import type { UsageRow } from '../store/usage.ts'

/** The rows of a report as one thread sends them to another: all numbers in one array, which is copied at once. */
export type PackedUsage = {
  readonly names: readonly (readonly string[])[]
  readonly sums: Float64Array
}

export function packUsage(rows: readonly UsageRow[]): PackedUsage {
  const width = rows[0]?.sums.length ?? 0
  const sums = new Float64Array(rows.length * width)
  for (const [index, row] of rows.entries()) sums.set(row.sums, index * width)
  return { names: rows.map(({ names }) => names), sums }
}

export function unpackUsage({ names, sums }: PackedUsage): readonly UsageRow[] {
  const width = sums.length / names.length
  return names.map((ofRow, index) => ({
    names: ofRow,
    sums: sums.subarray(index * width, (index + 1) * width),
  }))
}
