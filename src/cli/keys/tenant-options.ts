import { configOptions } from '../config-options.ts'

const amount = { value: 'N', takes: 'a number of at least 0', read: readAmount } as const
const count = { value: 'N', takes: 'a whole number above 0', read: readCount } as const

/** The options that keys and teams share. */
export const limitOptions = {
  limit: { ...amount, does: 'what it may spend, in USD' },
  reset: {
    value: 'WINDOW',
    does: 'daily, weekly or monthly (default: never)',
    takes: 'daily, weekly or monthly',
    read: (text: string) => (['daily', 'weekly', 'monthly'].includes(text) ? text : undefined),
  },
  models: { value: 'LIST', does: 'model patterns, comma-separated', read: readList },
  rpm: { ...count, does: 'requests per minute' },
  tpm: { ...count, does: 'tokens per minute' },
  concurrency: { ...count, does: 'concurrent calls' },
  ...outputOptions(),
} as const

export function outputOptions() {
  return { json: { does: 'as JSON, for scripts' }, ...configOptions } as const
}

/** The options of commands that revoke keys. */
export function takingOptions() {
  return { abort: { does: 'also end running calls' }, ...outputOptions() } as const
}

/** The query parameter of `--abort`. */
export function abortIn({ abort }: { readonly abort?: unknown }): string {
  return abort === true ? '?abort=true' : ''
}

/** The given limits, in the API's form. */
export function limitsIn(options: {
  readonly limit?: number
  readonly reset?: string
  readonly models?: readonly string[]
  readonly rpm?: number
  readonly tpm?: number
  readonly concurrency?: number
}): object {
  const { limit, reset, models, rpm, tpm, concurrency } = options
  const all = { limit, limit_reset: reset, models, rpm, tpm, concurrency }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}

/** A table for people. */
export function tableOf(head: readonly string[], rows: readonly (readonly unknown[])[]): string {
  const all = [
    head,
    ...rows.map((row) => row.map((cell) => (cell === null || cell === '' ? '-' : String(cell)))),
  ]
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)))
  return all
    .map(
      (row) =>
        `${row
          .map((cell, at) => cell.padEnd(widths[at] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}

function readAmount(text: string): number | undefined {
  return /^\d{1,7}(\.\d{1,9})?$/.test(text) ? Number(text) : undefined
}

function readCount(text: string): number | undefined {
  return /^[1-9]\d{0,8}$/.test(text) ? Number(text) : undefined
}

function readList(text: string): readonly string[] | undefined {
  return text.split(',').filter((word) => word !== '')
}
