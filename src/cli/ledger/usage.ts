import { usageBody } from '../../admin/usage-body.ts'
import { dayMs } from '../../ledger/store/rollup.ts'
import { type UsageGroup, usageGroups } from '../../ledger/store/usage.ts'
import { defineCommand } from '../command.ts'
import { configOptions } from '../config-options.ts'
import { readConfig } from '../read-config.ts'
import { openLedgerStore } from './ledger-store.ts'

export const usage = defineCommand({
  name: 'usage',
  does: 'print what was used and what it cost',
  about: 'A gateway may be running: its calls of the last second may be missing.',
  options: {
    by: {
      value: 'LIST',
      does: `sum by any of ${usageGroups.join(', ')} (default: model)`,
      takes: `one or several of ${usageGroups.join(', ')}, comma-separated`,
      read: readGroups,
    },
    since: {
      value: 'SPAN',
      does: 'how far back, as in 12h or 7d (default: 7d)',
      takes: 'a span such as 7d',
      read: readSpan,
    },
    json: { does: 'as JSON, for scripts' },
    ...configOptions,
  },
  run: async ({ options: { by = byModel, since = 7 * dayMs, json, ...overrides } }) => {
    await using store = await openLedgerStore(readConfig(overrides))
    const to = Date.now() + 1
    const from = Math.max(0, to - since)
    const rows = await store.usage({ from, to, by, filters: {}, withHistograms: false, limit: 100_000 })
    const data = rows.map((row) => usageBody(row, by))
    process.stdout.write(json === true ? `${JSON.stringify({ data, by })}\n` : tableOf(data, by))
    return 0
  },
})

const byModel: readonly UsageGroup[] = ['model']

type Body = ReturnType<typeof usageBody>

function tableOf(data: readonly Body[], by: readonly UsageGroup[]): string {
  const head = [...by, 'requests', 'errors', 'prompt', 'completion', 'cost USD', 'saved USD']
  const rows = data.map((row) => [
    ...by.map((group) => String(row[group] ?? '-')),
    ...[row['requests'], row['errors'], row['tokens_prompt'], row['tokens_completion']].map(String),
    ...[row['cost_nano_usd'], row['saved_nano_usd']].map((nano) => (Number(nano) / 1e9).toFixed(6)),
  ])
  const all = [head, ...rows]
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)))
  const line = (row: readonly string[]) =>
    row.map((cell, at) => (at < by.length ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
  return all.map((row) => `${line(row).join('  ').trimEnd()}\n`).join('')
}

function readGroups(text: string): readonly UsageGroup[] | undefined {
  const found = text.split(',').map((word) => usageGroups.find((group) => group === word))
  return found.every((group) => group !== undefined) ? found : undefined
}

/** Milliseconds, of hours or days: `7d`. */
export function readSpan(text: string): number | undefined {
  const [, amount, unit] = /^(\d{1,5})([hd])$/.exec(text) ?? []
  if (amount === undefined) return undefined
  return Number(amount) * (unit === 'h' ? dayMs / 24 : dayMs)
}
