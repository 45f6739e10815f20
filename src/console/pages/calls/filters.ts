import { query } from '../../app/router.ts'

export type Filter = {
  readonly name: string
  readonly label: string
  readonly kind: 'text' | 'number' | 'key'
  readonly hint?: string
}

/** The filters of calls. Each is a part of the URL, with its name in the admin API. */
export const filters: readonly Filter[] = [
  { name: 'id', label: 'Request id', kind: 'text', hint: 'req_…' },
  { name: 'model', label: 'Model', kind: 'text' },
  { name: 'key', label: 'Key', kind: 'key' },
  { name: 'team', label: 'Team', kind: 'text' },
  { name: 'tags', label: 'Tags', kind: 'text', hint: 'batch, eu' },
  { name: 'status', label: 'Status', kind: 'text', hint: '429, or failed' },
  { name: 'failure', label: 'Failure', kind: 'text', hint: 'timeout' },
  { name: 'deployment', label: 'Deployment', kind: 'text', hint: 'model@provider' },
  { name: 'provider', label: 'Provider', kind: 'text' },
  { name: 'min_cost', label: 'Cost from, USD', kind: 'number' },
  { name: 'max_cost', label: 'Cost to, USD', kind: 'number' },
  { name: 'min_ms', label: 'Took from, ms', kind: 'number' },
  { name: 'max_ms', label: 'Took to, ms', kind: 'number' },
]

/** The filters in the URL, as parameters of the admin API. */
export function chosenFilters(): Readonly<Record<string, string>> {
  return Object.fromEntries(
    filters.flatMap(({ name }) => {
      const value = query.value.get(name)
      return value === null || value === '' ? [] : [[name, value]]
    }),
  )
}
