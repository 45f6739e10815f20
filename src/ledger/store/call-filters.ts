export type CallFilters = Readonly<Partial<Record<CallFilter, string>>> & {
  /** Only calls with a status of 400 or more. */
  readonly failed?: boolean | undefined
  readonly status?: number | undefined
  readonly id?: string | undefined
} & SoughtFilters

export type CallFilter = (typeof callFilters)[number]

/** Columns of calls with an index each, for filters. */
export const callFilters = ['key', 'team', 'model'] as const

/** Filters without an index. */
export type SoughtFilters = {
  readonly provider?: string | undefined
  readonly deployment?: string | undefined
  /** The kind of a failure; `left`: its caller left. */
  readonly failure?: string | undefined
  /** Only calls with all of these tags. */
  readonly tags?: readonly string[] | undefined
  readonly leastNanoUsd?: number | undefined
  readonly mostNanoUsd?: number | undefined
  readonly leastMs?: number | undefined
  readonly mostMs?: number | undefined
}
