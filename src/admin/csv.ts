import { type JsonObject, spell } from '../core/model/json/json.ts'

/** Rows as CSV (RFC 4180), the first with the column names. Null is an empty cell. */
export function csvOf(columns: readonly string[], rows: readonly JsonObject[]): string {
  const lines = [columns, ...rows.map((row) => columns.map((column) => row[column]))]
  return lines.map((cells) => `${cells.map(cellOf).join(',')}\r\n`).join('')
}

function cellOf(value: unknown): string {
  if (typeof value === 'number') return String(value)
  const text = value === null || value === undefined ? '' : spell(value)
  // A spreadsheet would run a cell that begins so.
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
