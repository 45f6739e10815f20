import { hash } from 'node:crypto'
import type { StrategyName } from '../../core/model/terms.ts'
import type { BudgetRule } from '../budgets/budget.ts'

/** A caller's key, and what it allows. Plain data, as it is stored: of a secret only its digest. */
export type Key = {
  /** Its identity, whatever its secrets: `hash` in the API, and the name that its spending is counted under. */
  readonly id: string
  readonly kind: 'inference' | 'management'
  /** The role of a management key. */
  readonly role?: KeyRole | undefined
  readonly name: string
  /** Enough of a secret to tell keys apart: `pgw_abc...xyz`. */
  readonly label: string
  readonly team?: string | undefined
  readonly owner?: string | undefined
  readonly expiresAtMs?: number | undefined
  readonly isDisabled: boolean
  /** Patterns. Empty: every model. */
  readonly models: readonly string[]
  /** Empty: every provider. */
  readonly providers: readonly string[]
  readonly budgets: readonly BudgetRule[]
  readonly rates: RateRule
  readonly tags: readonly string[]
  /** Replaces the route's own setting. */
  readonly strategy?: StrategyName | undefined
  readonly secrets: readonly Secret[]
  /** The gateway created it so that it can be managed. This key alone does not turn authentication on. */
  readonly isMade?: true | undefined
  readonly createdAtMs: number
  readonly updatedAtMs: number
}

/** `metrics` may read metrics, `read` may read everything, `admin` may also change things. */
export type KeyRole = (typeof keyRoles)[number]

export const keyRoles = ['metrics', 'read', 'admin'] as const

/** The SHA-256 of a secret, in hex. After a rotation the old one is valid for a while. */
export type Secret = { readonly digest: string; readonly untilMs?: number | undefined }

export type Team = {
  /** Its name is its identity. */
  readonly id: string
  readonly budgets: readonly BudgetRule[]
  readonly rates: RateRule
  readonly models: readonly string[]
  readonly providers: readonly string[]
  readonly createdAtMs: number
  readonly updatedAtMs: number
}

/** Requests and tokens per minute, and concurrent calls. Undefined: no limit. */
export type RateRule = {
  readonly rpm?: number | undefined
  readonly tpm?: number | undefined
  readonly concurrency?: number | undefined
}

/** Fills a buffer with random bytes. */
export type FillRandom = (bytes: Buffer) => void

/** A secret of 256 random bits. */
export function newSecret(kind: Key['kind'], fill: FillRandom): string {
  const bytes = Buffer.alloc(32)
  fill(bytes)
  return `${prefixes[kind]}${bytes.toString('base64url')}`
}

const prefixes = { inference: 'pgw_', management: 'pgm_' } as const

export function digestOf(secret: string): string {
  return hash('sha256', secret, 'hex')
}

/** The first and last characters of a secret; fewer of a short one. */
export function labelOf(secret: string): string {
  const shown = secret.length >= 24 ? 3 : 1
  const prefix = /^(?:pg[wm]_|sk-|pk_)?/.exec(secret)?.[0] ?? ''
  return `${secret.slice(0, prefix.length + shown)}...${secret.slice(-shown)}`
}
