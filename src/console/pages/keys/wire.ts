/** As the admin API tells them, as far as they are shown. */
export type KeyView = {
  readonly hash: string
  readonly label: string
  readonly name: string
  readonly kind: 'inference' | 'management'
  readonly role: string | null
  readonly team: string | null
  readonly owner: string | null
  readonly tags: readonly string[]
  readonly strategy: string | null
  readonly disabled: boolean
  readonly managed_by: 'api' | 'file'
  readonly expires_at: string | null
  readonly last_used_at: string | null
} & Money

export type TeamView = {
  readonly id: string
  readonly name: string
  readonly managed_by: 'api' | 'file'
  readonly keys: number
} & Money

type Money = {
  readonly created_at: string
  readonly updated_at: string | null
  readonly usage: number
  readonly usage_daily: number
  readonly usage_monthly: number
  readonly budgets: readonly BudgetView[]
  readonly rpm: number | null
  readonly tpm: number | null
  readonly concurrency: number | null
  readonly models: readonly string[]
  readonly providers: readonly string[]
}

export type BudgetView = {
  readonly id: string
  readonly title: string
  readonly scope: 'gateway' | 'team' | 'key'
  readonly scope_id: string | null
  readonly name: string | null
  readonly limit_name: string
  readonly limit: number
  readonly limit_nano_usd: number
  /** Of the limit, what was added for the window of now alone. */
  readonly raised: number
  readonly raised_nano_usd: number
  readonly spent: number
  readonly held: number
  readonly uncertain: number
  readonly remaining: number
  readonly window: string
  readonly zone: string
  readonly week_start: number
  readonly resets_at: string | null
  readonly models: readonly string[]
  readonly providers: readonly string[]
  readonly per_user: boolean
}

export type Holder = { readonly call: string; readonly node: string; readonly held: number }

/** Where the file, or the environment, declares something. */
export type Declared = {
  readonly kind: 'key' | 'team'
  readonly id: string
  readonly from: string
  readonly file: string | null
  readonly line: number | null
  readonly variable: string | null
}

/** What `GET /admin/api/settings` says of where things are declared. */
export type DeclaredSettings = {
  readonly declared: readonly Declared[]
  readonly settings: readonly (Omit<Declared, 'kind' | 'id'> & { readonly place: string })[]
}

export type Listed<Row> = { readonly data: readonly Row[] }

export function pathOfTeam(id: string): string {
  return `/admin/api/teams/${encodeURIComponent(id)}`
}
