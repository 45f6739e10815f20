import { Failure } from '../../core/model/failure.ts'
import type { AdminEntry, ResolveEntry } from '../../core/model/journal.ts'
import type { Charge } from '../../core/model/shared/state.ts'
import { type Budget, budgetOf, counterOf, isWhole, ruleId } from '../budgets/budget.ts'
import { chargeLate } from '../budgets/late-charges.ts'
import type { Tenants } from '../tenants.ts'
import type { AuditEntry } from './audit.ts'
import { digestOf, type FillRandom, type Key, labelOf, newSecret, type Team } from './key.ts'
import type { Actor } from './registry.ts'

/**
 * Changes of keys and teams. Each writes an audit row. All throw Failure `not_found`, or `conflict` for what the file
 * declares.
 */
export interface Changes {
  createKey(by: string, made: NewKey): { readonly key: Key; readonly secret: string }
  /** Resolves once a new limit counts what the key has spent before. */
  updateKey(by: string, id: string, change: Partial<NewKey>): Promise<Key>
  /** Gives the same key a new secret. The old one is valid until then. */
  rotateKey(by: string, id: string, graceUntilMs: number): { readonly key: Key; readonly secret: string }
  deleteKey(by: string, id: string): void
  createTeam(by: string, made: NewTeam): Team
  updateTeam(by: string, id: string, change: Partial<NewTeam>): Team
  /** Its keys are revoked in the same step. */
  deleteTeam(by: string, id: string): void
  /** Adds to a budget's limit in its current window. */
  addToBudget(by: string, budget: Budget, nanoUsd: number): void
  /** Sets the final cost of a call whose cost was uncertain, at whichever node it is. */
  settleCall(by: string, callId: string, costNanoUsd: number, reason: string): Promise<SettledCall>
  /** Settles a call of this node. False if none of its cost is uncertain here. */
  settleHere(entry: ResolveEntry): Promise<boolean>
  /** Settles a call of a node that is gone, once: here on its counters, and in the reports. */
  settleLost(entry: ResolveEntry, charges: readonly Charge[]): Promise<void>
  forgetUser(by: string, user: string): void
  /** Writes an audit row for a change made elsewhere. */
  note(by: string, entry: Noted): void
}

/**
 * `pending`: its node is unreachable. That node settles it when it returns, or another one once it is gone. `unknown`:
 * none of its cost is uncertain.
 */
export type SettledCall = 'settled' | 'pending' | 'unknown'

export type Noted = Pick<AdminEntry, 'action' | 'subject' | 'before' | 'after'>

type Own = 'id' | 'label' | 'secrets' | 'createdAtMs' | 'updatedAtMs'

export type NewKey = Omit<Key, Own>
export type NewTeam = Omit<Team, 'createdAtMs' | 'updatedAtMs'>

export type ChangesParts = {
  readonly tenants: Tenants
  readonly fill: FillRandom
  readonly newId: () => string
  /** Of a call that is not uncertain here. */
  readonly settleElsewhere: (entry: ResolveEntry) => Promise<SettledCall>
}

export function createChanges(parts: ChangesParts): Changes {
  return new RegistryChanges(parts)
}

class RegistryChanges implements Changes {
  readonly #tenants: Tenants
  readonly #parts: ChangesParts

  constructor(parts: ChangesParts) {
    this.#parts = parts
    this.#tenants = parts.tenants
  }

  createKey(by: string, made: NewKey) {
    this.#teamOf(made)
    const { registry } = this.#tenants
    this.#refuseDeclaredName(made.name)
    const secret = newSecret(made.kind, this.#parts.fill)
    const digest = digestOf(secret)
    const now = this.#now()
    const key: Key = {
      ...made,
      ...{ id: digest, label: labelOf(secret), secrets: [{ digest }], createdAtMs: now, updatedAtMs: now },
    }
    registry.changeKey({ by: this.#actor(by), action: 'key.create', id: key.id, after: key })
    return { key, secret }
  }

  async updateKey(by: string, id: string, change: Partial<NewKey>): Promise<Key> {
    const before = this.#key(id)
    this.#teamOf(change)
    if (this.#isOfFile(id)) return this.#disableDeclared(by, before, change)
    if (change.name !== undefined) this.#refuseDeclaredName(change.name)
    const after = changed(before, change, this.#now())
    if (after === before) return before
    this.#tenants.registry.changeKey({ by: this.#actor(by), action: 'key.update', id, after })
    await this.#seed(before, after)
    return after
  }

  rotateKey(by: string, id: string, graceUntilMs: number) {
    const before = this.#key(id)
    const secret = newSecret(before.kind, this.#parts.fill)
    const now = this.#now()
    // A secret that was already replaced gets no more time than it had.
    const left = before.secrets.map(({ digest, untilMs = graceUntilMs }) => ({
      digest,
      untilMs: Math.min(untilMs, graceUntilMs),
    }))
    const secrets = [{ digest: digestOf(secret) }, ...left.filter(({ untilMs }) => untilMs > now)]
    const key: Key = { ...before, secrets, label: labelOf(secret), updatedAtMs: now }
    this.#tenants.registry.changeKey({ by: this.#actor(by), action: 'key.rotate', id, after: key })
    return { key, secret }
  }

  deleteKey(by: string, id: string): void {
    this.#key(id)
    this.#tenants.registry.changeKey({ by: this.#actor(by), action: 'key.delete', id, after: null })
  }

  createTeam(by: string, made: NewTeam): Team {
    const { registry } = this.#tenants
    if (registry.team(made.id) !== undefined) {
      const code = registry.isOfFile('team', made.id) ? 'managed_by_file' : 'already_exists'
      throw new Failure('conflict', 'A team of this name exists already.', { code })
    }
    const now = this.#now()
    const team: Team = { ...made, createdAtMs: now, updatedAtMs: now }
    registry.changeTeam({ by: this.#actor(by), action: 'team.create', id: team.id, after: team })
    return team
  }

  updateTeam(by: string, id: string, change: Partial<NewTeam>): Team {
    const before = this.#team(id)
    const after = changed(before, change, this.#now())
    if (after !== before) {
      this.#tenants.registry.changeTeam({ by: this.#actor(by), action: 'team.update', id, after })
    }
    return after
  }

  deleteTeam(by: string, id: string): void {
    this.#team(id)
    this.#tenants.registry.changeTeam({ by: this.#actor(by), action: 'team.delete', id, after: null })
  }

  addToBudget(by: string, budget: Budget, nanoUsd: number): void {
    const { desk } = this.#tenants
    const window = desk.windows.current(budget.rule)
    const added = { budget: budget.id, window: window.id, nanoUsd }
    const entry = { type: 'override', id: this.#parts.newId(), at: this.#now(), actor: by, ...added } as const
    this.#note(entry)
    this.#tenants.overrides.add(entry)
  }

  async settleCall(by: string, callId: string, costNanoUsd: number, reason: string): Promise<SettledCall> {
    const entry: ResolveEntry = {
      ...{ type: 'resolve', id: callId, at: this.#now(), actor: by, nanoUsd: costNanoUsd, reason },
    }
    return (await this.settleHere(entry)) ? 'settled' : await this.#parts.settleElsewhere(entry)
  }

  async settleHere(entry: ResolveEntry): Promise<boolean> {
    const isSettled = await this.#tenants.desk.state.resolve(entry.id, entry.nanoUsd)
    if (isSettled) this.#note(entry)
    return isSettled
  }

  async settleLost(entry: ResolveEntry, charges: readonly Charge[]): Promise<void> {
    // Both are written in one turn: after a crash there are both lines, or none.
    const charged = this.#tenants.lost.charge(entry, charges)
    this.#note(entry)
    await charged
  }

  forgetUser(by: string, user: string): void {
    this.#tenants.users.forget(user)
    this.#actor(by).note({
      action: 'user.delete',
      subject: { kind: 'user', id: user },
      before: null,
      after: null,
    })
  }

  note(by: string, entry: Noted): void {
    this.#actor(by).note(entry)
  }

  #actor(name: string): Actor {
    const note: Actor['note'] = (noted, at = (now) => now) => {
      const common = { type: 'admin', id: this.#parts.newId(), at: at(this.#now()), actor: name } as const
      const entry = { ...common, ...noted }
      this.#note(entry)
      return entry
    }
    return { name, note }
  }

  #note(entry: AuditEntry): void {
    this.#tenants.desk.journal.append(entry)
    this.#tenants.audit.add(entry)
  }

  #disableDeclared(by: string, before: Key, { isDisabled, ...others }: Partial<NewKey>): Key {
    const isOther = changed(before, others, before.updatedAtMs) !== before
    if (isOther || isDisabled === undefined) {
      throw new Failure('conflict', 'This key is declared in the configuration file: change it there.', {
        code: 'managed_by_file',
      })
    }
    const action = isDisabled ? 'key.disable' : 'key.enable'
    this.#tenants.registry.disableDeclared({ by: this.#actor(by), action, id: before.id, isDisabled })
    return this.#key(before.id)
  }

  /** A new limit of a key also counts what the key has spent in that window before. */
  async #seed(before: Key, after: Key): Promise<void> {
    const { desk, usage } = this.#tenants
    const had = new Set(before.budgets.map((rule) => `${ruleId(rule)} ${rule.window}`))
    const added = after.budgets.filter((rule) => isWhole(rule) && !had.has(`${ruleId(rule)} ${rule.window}`))
    if (added.length === 0) return
    const scope = { kind: 'key', id: after.id, name: after.name } as const
    const counters = added.map((rule) => counterOf(budgetOf(scope, rule), desk.windows.current(rule)))
    const [used] = await usage.of([after.id])
    const readings = await desk.state.read(counters)
    const inWindow = { total: used?.total, day: used?.day, week: used?.week, month: used?.month }
    const charges = counters.flatMap((counter, at) => {
      const spent = inWindow[added[at]?.window as keyof typeof inWindow] ?? 0
      const missing = spent - (readings[at]?.spentNanoUsd ?? 0)
      return missing > 0 ? [{ counter, spentNanoUsd: missing }] : []
    })
    await chargeLate(this.#parts.newId(), charges, desk)
  }

  #key(id: string): Key {
    const key = this.#tenants.registry.key(id)
    if (key === undefined) throw new Failure('not_found', 'There is no such key.', { code: 'key_not_found' })
    return key
  }

  #team(id: string): Team {
    const team = this.#tenants.registry.team(id)
    if (team === undefined)
      throw new Failure('not_found', 'There is no such team.', { code: 'team_not_found' })
    return team
  }

  #teamOf({ team }: Partial<NewKey>): void {
    if (team === undefined || this.#tenants.registry.team(team) !== undefined) return
    throw new Failure('invalid_request', 'There is no such team.', { param: 'team' })
  }

  #refuseDeclaredName(wanted: string): void {
    const { registry } = this.#tenants
    if (!registry.keys().some(({ id, name }) => name !== '' && name === wanted && this.#isOfFile(id))) return
    throw new Failure('conflict', 'A key of this name is declared in the configuration file.', {
      code: 'managed_by_file',
    })
  }

  #isOfFile(id: string): boolean {
    return this.#tenants.registry.isOfFile('key', id)
  }

  #now(): number {
    return this.#tenants.desk.clock.epochMs()
  }
}

/** Returns the object itself if nothing is different. */
function changed<Of extends { readonly updatedAtMs: number }>(before: Of, change: object, now: number): Of {
  const after = { ...before, ...change }
  return JSON.stringify(after) === JSON.stringify(before) ? before : { ...after, updatedAtMs: now }
}
