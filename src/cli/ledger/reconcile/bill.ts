import { readAmounts } from './amounts.ts'
import { type CsvRow, readCsv } from './csv.ts'
import { UnreadableBill } from './unreadable-bill.ts'

/** The billed cost of one model on one day. */
export type BillRow = {
  /** `2026-11-29`, in UTC. */
  readonly day: string
  /** The provider's name of the model or endpoint; undefined: the whole day. */
  readonly name: string | undefined
  readonly nanoUsd: number
}

/** Reads the rows of an invoice as CSV. Columns are recognised by their names. Throws UnreadableBill. */
export function readCsvBill(text: string): readonly BillRow[] {
  const { rows: all, separator } = readCsv(text)
  const [head, ...below] = all
  const titles = (head?.cells ?? []).map((cell) => cell.toLowerCase().replaceAll(/[^a-z]/g, ''))
  const [day, name, amount] = [dayNames, modelNames, amountNames].map((names) => columnOf(titles, names))
  if (day === undefined || amount === undefined) {
    throw new UnreadableBill(
      `The file has the columns ${head?.cells.join(', ') ?? ''}: it needs one for the day (date) and one for the amount in USD (cost), and may have one for the model.`,
    )
  }
  const rows = below.filter((row) => !isTotal(row, day))
  const amounts = readAmounts(
    rows.map(({ line, cells }) => ({ text: cells[amount] ?? '', place: `line ${line}` })),
    separator,
  )
  return rows.map(({ line, cells }, at) => {
    const model = name === undefined ? '' : (cells[name] ?? '').trim()
    return {
      day: dayOf((cells[day] ?? '').trim(), `line ${line}`),
      name: model === '' ? undefined : model,
      nanoUsd: amounts[at] ?? 0,
    }
  })
}

/** The best of the names that there is: an invoice may have a price per unit beside the cost. */
function columnOf(titles: readonly string[], names: readonly string[]): number | undefined {
  const found = names.map((name) => titles.indexOf(name)).find((at) => at !== -1)
  return found
}

/** A last line such as `Total,,12.50`. */
function isTotal({ cells }: CsvRow, day: number): boolean {
  const isWithoutDay = (cells[day] ?? '').trim() === '' || /^(grand |sub)?-?total\b/i.test(cells[day] ?? '')
  return isWithoutDay && cells.some((cell) => /^(grand |sub)?-?total\b/i.test(cell.trim()))
}

const dayNames = ['date', 'day', 'time', 'timestamp', 'starttime', 'usagedate', 'period']
const modelNames = [
  'model',
  'modelname',
  'modelid',
  'endpoint',
  'endpointid',
  'serverlessid',
  'sku',
  'description',
]
const amountNames = ['cost', 'costusd', 'amount', 'amountusd', 'total', 'totalusd', 'usd', 'charge', 'price']

/**
 * The UTC day of a date or time: `2026-11-29`, with a time that is in UTC unless it says otherwise, `Nov 29, 2026`, or
 * `11/29/2026`. Throws UnreadableBill with the place.
 */
export function dayOf(text: string, place: string): string {
  const moment = epochMsOf(text)
  if (Number.isNaN(moment))
    throw new UnreadableBill(`${place}: ${JSON.stringify(text.slice(0, 40))} is not a date.`)
  return new Date(moment).toISOString().slice(0, 10)
}

function epochMsOf(text: string): number {
  const [, day, time = '00:00', zone = 'Z'] = isoMoment.exec(text) ?? []
  if (day !== undefined) return Date.parse(`${day}T${time}${zone === 'UTC' ? 'Z' : zone}`)
  // Anything else would be read in some way: a number as a year.
  return /^[a-z]{3,9}\.? \d{1,2},? \d{4}$|^\d{1,2} [a-z]{3,9}\.? \d{4}$|^\d{1,2}\/\d{1,2}\/\d{4}$/i.test(text)
    ? Date.parse(`${text} UTC`)
    : Number.NaN
}

const isoMoment =
  /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?) ?(Z|UTC|[+-]\d{2}:?\d{2})?)?$/
