/** The fields of the admin API's answer that are shown. */
export type DeploymentRow = {
  readonly id: string
  readonly model: string | null
  readonly provider: string | null
  readonly routes: readonly string[]
  readonly can_wake: boolean
  readonly drained: { readonly since: string; readonly by: string; readonly reason: string | null } | null
  readonly price: Price | null
  readonly presence: {
    readonly state: string
    readonly since: string | null
    readonly successor: string | null
  } | null
  readonly breaker: 'closed' | 'half-open' | 'open'
  readonly since_epoch_ms: number
  readonly failures_in_a_row: number
  readonly opens_until_epoch_ms: number | null
  readonly share: number
  readonly limited_until_epoch_ms: number | null
  readonly success_rate: number
  readonly first_token_ms: number | null
  readonly tokens_per_second: number | null
  readonly in_flight: number
  readonly attempts: number
  readonly answered: number
  readonly failed: number
  readonly limited: number
  readonly last_failure: string | null
  readonly probe: Probe | null
}

export type Price = {
  readonly input_nano_usd_per_million: number | null
  readonly cached_input_nano_usd_per_million: number | null
  readonly output_nano_usd_per_million: number | null
  readonly nano_usd_per_second: number | null
  readonly nano_usd_per_request: number | null
  readonly source?: string | null
  readonly since?: string | null
  readonly as_of?: string | null
  readonly said_by?: string | null
  readonly firm?: boolean | null
}

type Probe = {
  readonly at_epoch_ms: number
  readonly outcome: string
  readonly queued: number | null
  readonly idle_workers: number | null
  readonly busy_workers: number | null
  readonly failure: string | null
}

export type RouteRow = {
  readonly pattern: string
  readonly strategy: string
  readonly baseline: string | null
  readonly deployments: readonly {
    readonly id: string
    readonly provider: string
    readonly weight: number
  }[]
}

export type Routes = {
  readonly data: readonly RouteRow[]
  readonly models: readonly string[]
  readonly is_default: boolean
}
