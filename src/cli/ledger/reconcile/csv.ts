import { UnreadableBill } from './unreadable-bill.ts'

/** A line of a CSV file that is not empty. */
export type CsvRow = { readonly line: number; readonly cells: readonly string[] }

export type Csv = { readonly rows: readonly CsvRow[]; readonly separator: string }

/**
 * Reads CSV (RFC 4180), also with semicolons or tabs, and with any line ends. Throws UnreadableBill, because a cell that
 * is read wrongly is a wrong amount.
 */
export function readCsv(text: string): Csv {
  const plain = text.replace(/^\uFEFF/, '').replaceAll(/\r\n?/g, '\n')
  const separator = separatorOf(plain)
  const rows: CsvRow[] = []
  let cells: string[] = []
  let line = 1
  let start = 1
  for (let at = 0; at <= plain.length; ) {
    const { value, end } = cellAt(plain, at, separator, line)
    cells.push(value)
    line += count(plain.slice(at, end + 1))
    at = end + 1
    if (plain[end] === separator) continue
    if (cells.some((cell) => cell.trim() !== '')) rows.push({ line: start, cells })
    cells = []
    start = line
  }
  return { rows, separator }
}

/** The one that the first line has most of, outside quotes. */
function separatorOf(text: string): string {
  const [head = ''] = text
    .replaceAll(/"[^"]*"/g, '')
    .trimStart()
    .split('\n')
  const counted = [',', ';', '\t'].map((one) => ({ one, times: head.split(one).length }))
  return counted.toSorted((a, b) => b.times - a.times)[0]?.one ?? ','
}

/** A cell, and the index of the separator or line feed after it. */
function cellAt(
  text: string,
  start: number,
  separator: string,
  line: number,
): { readonly value: string; readonly end: number } {
  let at = start
  while (text[at] === ' ') at++
  if (text[at] !== '"') {
    at = start
    while (at < text.length && text[at] !== separator && text[at] !== '\n') at++
    return { value: text.slice(start, at), end: at }
  }
  let value = ''
  for (at++; ; at++) {
    const quote = text.indexOf('"', at)
    if (quote === -1) throw new UnreadableBill(`line ${line}: a quotation mark is not closed.`)
    value += text.slice(at, quote)
    at = quote + 1
    if (text[at] !== '"') break
    value += '"'
  }
  while (text[at] === ' ') at++
  if (at < text.length && text[at] !== separator && text[at] !== '\n')
    throw new UnreadableBill(`line ${line}: there is text after a quotation mark that closes a cell.`)
  return { value, end: at }
}

function count(text: string): number {
  return text.split('\n').length - 1
}
