import type { Gateway } from '../../core/gateway.ts'
import type { Drains } from '../../core/health/drains.ts'
import type { JsonObject } from '../../core/model/json/json.ts'
import type { Route } from '../../core/model/ports.ts'
import type { ExplainedRequest } from '../../http/routes/explain.ts'
import type { Changes } from '../../tenants/keys/changes.ts'

/** The state of the running gateway, for operators. */
export type LiveParts = {
  /** By the configuration in use at that moment. */
  readonly current: () => {
    readonly gateway: Pick<Gateway, 'deployments' | 'models'>
    readonly routes: readonly Route[]
    readonly explain: (request: ExplainedRequest) => Promise<JsonObject>
    readonly config: { readonly routing: { readonly isDefault: boolean } }
  }
  readonly drains: Drains
  readonly configuration: () => ConfigurationInUse
  /** Epoch milliseconds. */
  readonly now: () => number
  /** Writes an audit row. */
  readonly note: Changes['note']
}

/** The state of the configuration, from the composition root. */
export type ConfigurationInUse = {
  readonly loadedEpochMs: number
  readonly taken: number
  readonly refused: number
  readonly refusal:
    | { readonly atEpochMs: number; readonly problems: readonly ConfigurationProblem[] }
    | undefined
  readonly origins:
    | {
        readonly settings: readonly SettingInUse[]
        readonly declared: Readonly<Record<string, SettingOrigin>>
      }
    | undefined
}

export type SettingOrigin = {
  readonly from: 'file' | 'environment' | 'command line' | 'default'
  readonly file?: string | undefined
  readonly line?: number | undefined
  readonly variable?: string | undefined
}

type SettingInUse = SettingOrigin & {
  readonly place: string
  readonly value: Plain | readonly Plain[]
  readonly isSecret: boolean
}

type Plain = string | number | boolean | null

type ConfigurationProblem = {
  readonly source: string
  readonly line?: number | undefined
  readonly column?: number | undefined
  readonly place: string
  readonly message: string
}
