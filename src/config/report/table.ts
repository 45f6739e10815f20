/** Cells of a table, row by row. Rows may have fewer cells than the table has columns. */
export type Rows = readonly (readonly string[])[]

/** Formats a table as lines of text; each column is as wide as its widest cell. */
export function aligned(rows: Rows): string {
  const columns = Math.max(...rows.map((row) => row.length))
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  )
  const lines = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '))
  return lines.map((line) => line.trimEnd()).join('\n')
}

/** Formats names and numbers. Other values are left out, because they may be secrets. */
export function pairs(values: Readonly<Record<string, unknown>>): string {
  const numbers = Object.entries(values).filter(([, value]) => typeof value === 'number')
  return numbers.map(([key, value]) => `${key} ${value}`).join(', ')
}
