/** Cells of a table, row by row; a row may be short of cells. */
export type Rows = readonly (readonly string[])[]

/** As lines of text, each column as wide as its widest cell. */
export function aligned(rows: Rows): string {
  const columns = Math.max(...rows.map((row) => row.length))
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  )
  const lines = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '))
  return lines.map((line) => line.trimEnd()).join('\n')
}

/** Only numbers: so that nothing is shown which might be a secret. */
export function pairs(values: Readonly<Record<string, unknown>>): string {
  const numbers = Object.entries(values).filter(([, value]) => typeof value === 'number')
  return numbers.map(([key, value]) => `${key} ${value}`).join(', ')
}
