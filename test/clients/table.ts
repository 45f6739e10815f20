import type { Client } from './client.ts'
import { features } from './features.ts'
import type { Performance } from './perform.ts'

/** The line of the table for a client, in Markdown. */
export function rowOf({ name, runs }: Client, { cells }: Performance): string {
  return line([name, runs, ...features.map((feature) => cells.get(feature.name) ?? '')])
}

/** The whole table, of the rows that there are. */
export function tableOf(rows: readonly string[]): string {
  const heads = ['client', 'in', ...features.map(({ title }) => title)]
  return [line(heads), line(heads.map(() => '---')), ...rows].join('\n')
}

/** What the columns mean. */
export function legend(): string {
  return features.map(({ title, means }) => `- **${title}**: ${means}`).join('\n')
}

/** How each client is told where the gateway is, and what it raises. */
export function detailsOf(clients: readonly (Client & { readonly version: string })[]): string {
  const heads = ['client', 'in', 'version', 'how it is told', '400', '401', '404', '429', '502', '503', 'cut']
  const rows = clients.map(({ name, runs, version, setting, raises, cut }) => {
    const classes = [...Object.values(raises), cut].map((raised) => `\`${raised}\``)
    return line([name, runs, version, setting, ...classes])
  })
  return [line(heads), line(heads.map(() => '---')), ...rows].join('\n')
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`
}
