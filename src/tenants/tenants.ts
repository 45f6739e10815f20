import {
  type AdminEntry,
  type Journal,
  noJournal,
  type OverrideEntry,
  type Projection,
} from '../core/model/journal.ts'
import type { Clock, Sink } from '../core/model/ports.ts'
import type { CallRecord } from '../core/model/record/record.ts'
import type { SharedState } from '../core/model/shared/state.ts'
import { Access, type OpenCall } from './access.ts'
import { type Alerts, createAlerts, type SendAlert } from './budgets/alerts.ts'
import { allBudgets } from './budgets/all-budgets.ts'
import { type BudgetReading, readBudgets } from './budgets/budget-reading.ts'
import { chargeLate, spentOnNew } from './budgets/late-charges.ts'
import { lostCall } from './budgets/lost-calls.ts'
import { createLostMoney, type LostMoney, uncertainOf } from './budgets/lost-money.ts'
import { createMoneyProjection, type ReplayedMoney } from './budgets/money-projection.ts'
import { createOverrides, type Overrides } from './budgets/overrides.ts'
import { safe } from './budgets/refusal.ts'
import { createRefusalCounts } from './budgets/refusal-counts.ts'
import { createWindowClock } from './budgets/window-clock.ts'
import type { Applied, Desk } from './desk.ts'
import { type Audit, createAudit } from './keys/audit.ts'
import { admit, type Caller, type CallersPolicy, manage, manageBy } from './keys/authenticate.ts'
import type { Key, KeyRole } from './keys/key.ts'
import { createRegistry, type Registry } from './keys/registry.ts'
import { leave } from './rates.ts'
import type { TenantSettings } from './settings.ts'
import { createUsage, type Usage } from './usage.ts'
import { createUsers, type Users } from './users.ts'

/** Who may call, and how much: keys, teams, budgets and limits, for the life of the process. */
export interface Tenants {
  readonly registry: Registry
  readonly desk: Desk
  readonly users: Users
  readonly usage: Usage
  readonly audit: Audit
  /**
   * Applies the settings of the configuration. Throws Failure `conflict`, and changes nothing, if they contradict
   * stored ones.
   */
  configure(settings: TenantSettings, policy: CallersPolicy): void
  readonly settings: TenantSettings
  /** Identifies the caller. Throws `unauthorized`. */
  admit(bearer: string | undefined): Caller
  /** Identifies a manager. Throws `unauthorized`, and `forbidden` for a role that is not sufficient. */
  admitManager(bearer: string | undefined, role: KeyRole): Caller
  /** The same for a session, by the digest of the secret that it was opened with. */
  admitSession(digest: string, role: KeyRole): Caller
  /** Calls need a key. */
  readonly asksForKeys: () => boolean
  /** What a key allows. Undefined: calls without a key. */
  accessOf(key: Key | undefined): Access
  /** Settles each call at its end. Must come before the sink that journals it. */
  readonly sink: Sink
  /** To be rebuilt from the journal, before `open`. */
  readonly projections: readonly Projection[]
  /** Continues with this journal. Calls left open by the process before are settled as uncertain. */
  open(journal: Journal): Promise<void>
  /** The state of budgets, and how many calls each has refused. */
  standings(): Promise<readonly BudgetStanding[]>
  readonly overrides: Overrides
  /** Applies a change made on another node. False, and no change, if it or a later one is known. */
  hear(entry: AdminEntry | OverrideEntry): boolean
  readonly lost: LostMoney
}

export type BudgetStanding = BudgetReading & { readonly refused: number }

export type TenantsParts = {
  readonly state: SharedState
  /** The part to rebuild from the journal. Undefined: it outlasts the process. */
  readonly money: ReplayedMoney | undefined
  readonly clock: Pick<Clock, 'epochMs'>
  /** This process. */
  readonly owner: string
  readonly settings: TenantSettings
  readonly policy: CallersPolicy
  readonly send: SendAlert
  /** Receives each use of a key, if another process needs to know. */
  readonly used?: ((key: string, epochMs: number) => void) | undefined
}

export function createTenants(parts: TenantsParts): Tenants {
  return new Household(parts)
}

class Household implements Tenants {
  readonly registry = createRegistry()
  readonly audit = createAudit()
  readonly desk: Desk
  readonly users: Users
  readonly usage: Usage
  readonly lost: LostMoney
  readonly projections: readonly Projection[]
  settings: TenantSettings
  #policy: CallersPolicy
  #journal: Journal = noJournal
  readonly #parts: TenantsParts
  readonly #alerts: Alerts
  readonly #open = new Map<string, OpenCall>()
  readonly #access = new Map<Key | undefined, Access>()
  #accessVersion = -1
  readonly overrides = createOverrides()
  readonly #refusals = createRefusalCounts()

  constructor(parts: TenantsParts) {
    this.#parts = parts
    this.settings = parts.settings
    this.#policy = parts.policy
    const journal = () => this.#journal
    this.desk = {
      state: parts.state,
      get journal() {
        return journal()
      },
      windows: createWindowClock(parts.clock),
      clock: parts.clock,
      owner: parts.owner,
      terms: () => this.settings.terms,
      override: (counter) => this.overrides.of(counter),
    }
    this.users = createUsers({ how: () => this.settings.terms.users, now: parts.clock.epochMs })
    this.usage = createUsage(this.desk)
    this.lost = createLostMoney(this.desk)
    const note = (entry: AdminEntry) => {
      this.#journal.append(entry)
      this.audit.add(entry)
    }
    const { send } = parts
    this.#alerts = createAlerts({ desk: this.desk, settings: () => this.settings.alerts, note, send })
    const money = createMoneyProjection(parts.money, this.desk.windows, this.overrides, parts.clock.epochMs)
    this.projections = [this.registry.projection, this.audit.projection, money, this.#alerts.projection]
    this.configure(parts.settings, parts.policy)
  }

  configure(settings: TenantSettings, policy: CallersPolicy): void {
    this.registry.declare(settings)
    this.settings = settings
    this.#policy = policy
    this.#access.clear()
  }

  readonly asksForKeys = (): boolean => {
    return this.registry.hasCallers || (this.registry.hadKeys && !this.#policy.allowUnauthenticated)
  }

  admit(bearer: string | undefined): Caller {
    const now = this.#parts.clock.epochMs()
    const { caller, key } = admit(bearer, this.registry, this.#policy, now)
    if (key === undefined && !this.#isGatewayBound()) return caller
    if (key !== undefined) this.#noteUse(key.id, now)
    return { ...caller, tenant: this.accessOf(key) }
  }

  admitManager(bearer: string | undefined, role: KeyRole): Caller {
    const now = this.#parts.clock.epochMs()
    const { caller, key } = manage(bearer, role, this.registry, this.#policy, now)
    if (key !== undefined) this.#noteUse(key.id, now)
    return caller
  }

  admitSession(digest: string, role: KeyRole): Caller {
    const now = this.#parts.clock.epochMs()
    const { caller, key } = manageBy(digest, role, this.registry, now)
    this.registry.noteUse(key.id, now)
    return caller
  }

  accessOf(key: Key | undefined): Access {
    if (this.#accessVersion !== this.registry.version) {
      this.#access.clear()
      this.#accessVersion = this.registry.version
    }
    let known = this.#access.get(key)
    if (known === undefined) {
      const team = key?.team === undefined ? undefined : this.registry.team(key.team)
      const { desk, users, settings } = this
      known = new Access({ key, team, settings, desk, users, opened: (id) => this.#opened(id) })
      this.#access.set(key, known)
    }
    return known
  }

  readonly sink: Sink = { write: (record) => this.#settle(record) }

  async open(journal: Journal): Promise<void> {
    this.#journal = journal
    const { money, state, owner, clock } = this.#parts
    const lost = (money?.holds() ?? []).filter((hold) => hold.owner !== owner)
    for (const { id, parts } of lost) {
      const at = clock.epochMs()
      journal.append({ type: 'settle', id, at, charges: uncertainOf(parts), reason: 'crash' })
      journal.append(lostCall({ id, parts }, at, this.registry))
    }
    for (const gone of new Set(lost.map((hold) => hold.owner))) await state.abandon(gone)
  }

  async standings(): Promise<readonly BudgetStanding[]> {
    const readings = await readBudgets(allBudgets(this.registry, this.settings), this.desk)
    return readings.map((reading) => ({ ...reading, refused: this.#refusals.of(safe(reading.budget.id)) }))
  }

  hear(entry: AdminEntry | OverrideEntry): boolean {
    const isNew =
      entry.type === 'override'
        ? this.overrides.add(entry)
        : this.registry.hear(entry) || this.#alerts.hear(entry)
    if (isNew) this.audit.add(entry)
    return isNew
  }

  #noteUse(key: string, epochMs: number): void {
    this.registry.noteUse(key, epochMs)
    this.#parts.used?.(key, epochMs)
  }

  #opened(callId: string): OpenCall {
    let known = this.#open.get(callId)
    if (known === undefined) {
      known = { bill: undefined, entered: undefined }
      this.#open.set(callId, known)
    }
    return known
  }

  /** The gateway as a whole has budgets or limits, which also apply to calls without a key. */
  #isGatewayBound(): boolean {
    const { budgets, rates, modelRates } = this.settings
    const { rpm, tpm, concurrency } = rates
    return budgets.length + modelRates.length > 0 || (rpm ?? tpm ?? concurrency) !== undefined
  }

  #settle(record: CallRecord): void {
    const { tenant } = record
    if (tenant === undefined) return
    this.#refusals.note(record)
    let settled: readonly Applied[] = []
    const open = this.#open.get(record.id)
    if (open !== undefined) {
      const { entered, bill } = open
      this.#open.delete(record.id)
      // When a Map outgrows its table, the old one still refers to what was in it, and keeps all of a call alive until the
      // next full collection.
      open.entered = undefined
      open.bill = undefined
      if (entered !== undefined) void leave(entered, tokensOf(record), this.desk)
      if (bill !== undefined) settled = bill.settle(record)
      this.#alerts.look(settled)
    }
    if (record.costNanoUsd === undefined || record.costNanoUsd <= 0) return
    this.usage.add(record)
    this.#chargeNew(record, settled)
  }

  /** If the key was changed while the call was running, its new limits count the call, too. */
  #chargeNew(record: CallRecord, settled: readonly Applied[]): void {
    const key = record.tenant?.key === undefined ? undefined : this.registry.key(record.tenant.key)
    if (key === undefined || this.accessOf(key).note === record.tenant) return
    void chargeLate(`late_${record.id}`, spentOnNew(this.accessOf(key).budgets, settled, record), this.desk)
  }
}

/** The tokens that a call used of limits. Undefined: it was refused before anything was sent. */
function tokensOf({ usage, attempts, outcome }: CallRecord): number | undefined {
  if (usage !== undefined) return usage.total_tokens
  return outcome === 'failed' && attempts.length === 0 ? undefined : sentTokens(attempts)
}

function sentTokens(attempts: CallRecord['attempts']): number {
  return attempts.reduce(
    (sum, { used }) => sum + (used === undefined ? 0 : used.promptTokens + used.completionTokens),
    0,
  )
}
