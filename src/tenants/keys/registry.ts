import { Failure } from '../../core/model/failure.ts'
import type { AdminEntry, Projection, StateEntry } from '../../core/model/journal.ts'
import { isObject } from '../../core/model/json/json.ts'
import type { Key, Team } from './key.ts'
import { createStamps, type StampsSnapshot } from './stamps.ts'

/** The keys and teams of the gateway: those of its file, and those that were created and are stored in the journal. */
export interface Registry {
  /** Replaces those of the file. Throws Failure `conflict` for a name or secret that is also stored. */
  declare(declared: Declared): void
  /** The key with this secret, in whatever state. Undefined: there is none. */
  find(digest: string): FoundKey | undefined
  keys(): readonly Key[]
  teams(): readonly Team[]
  key(id: string): Key | undefined
  team(id: string): Team | undefined
  isOfFile(kind: 'key' | 'team', id: string): boolean
  /** There are keys for calls. */
  readonly hasCallers: boolean
  /** ADMIN_KEY is set: the key that the gateway created for itself is off. */
  readonly hasAdminKey: boolean
  /**
   * A key has existed: in the file since the process started, or ever among the stored ones. Authentication stays on.
   */
  readonly hadKeys: boolean
  /** One that was created, not declared in the file, has existed. */
  readonly hadStoredKeys: boolean
  /** Changes with every change of a key or a team. */
  readonly version: number
  /** Creates, changes or, if `after` is null, deletes a key. Throws Failure `conflict` for what the file declares. */
  changeKey(change: Change<Key>): void
  changeTeam(change: Change<Team>): void
  /** Disables or enables a key of the file. */
  disableDeclared(change: Omit<Change<Key>, 'after'> & { readonly isDisabled: boolean }): void
  noteUse(id: string, epochMs: number): void
  lastUse(id: string): number | undefined
  /** Applies a change made on another node. False, and no change, if a later one is known. */
  hear(entry: AdminEntry): boolean
  readonly projection: Projection
}

export type Declared = { readonly keys: readonly Key[]; readonly teams: readonly Team[] }

export type FoundKey = { readonly key: Key; readonly untilMs: number | undefined }

export type Change<Of> = {
  readonly by: Actor
  readonly action: string
  readonly id: string
  readonly after: Of | null
}

/** Who makes a change, and where it is written. */
export type Actor = {
  readonly name: string
  /** At `at`, or now. Returns the row. */
  note(entry: Noted, at?: (now: number) => number): AdminEntry
}

export type Noted = Omit<AdminEntry, 'type' | 'id' | 'at' | 'actor'>

export function createRegistry(): Registry {
  return new Keys()
}

class Keys implements Registry {
  hadKeys = false
  version = 0
  /** A stored key: it outlasts the process. */
  hadStoredKeys = false
  readonly #declared = { keys: new Map<string, Key>(), teams: new Map<string, Team>() }
  readonly #kept = { keys: new Map<string, Key>(), teams: new Map<string, Team>() }
  /** Keys of the file that were disabled here. */
  readonly #disabled = new Set<string>()
  readonly #stamps = createStamps()
  readonly #lastUse = new Map<string, number>()
  readonly #byDigest = new Map<string, FoundKey>()
  /** `#byDigest` has to be rebuilt: once, however many lines of the journal were applied. */
  #isStale = false
  #hasCallers = false

  declare({ keys, teams }: Declared): void {
    for (const key of keys) this.#refuseTwice(key)
    for (const { id } of teams) {
      if (this.#kept.teams.has(id)) throw twice(`The team ${JSON.stringify(id)}`)
    }
    this.#declared.keys = new Map(keys.map((key) => [key.id, key]))
    this.#declared.teams = new Map(teams.map((team) => [team.id, team]))
    this.#changed()
  }

  find(digest: string): FoundKey | undefined {
    if (this.#isStale) this.#index()
    return this.#byDigest.get(digest)
  }

  keys(): readonly Key[] {
    return [...this.#kept.keys.values(), ...this.#declared.keys.values().map((key) => this.#asItIs(key))]
  }

  teams(): readonly Team[] {
    return [...this.#kept.teams.values(), ...this.#declared.teams.values()]
  }

  key(id: string): Key | undefined {
    const declared = this.#declared.keys.get(id)
    return declared === undefined ? this.#kept.keys.get(id) : this.#asItIs(declared)
  }

  team(id: string): Team | undefined {
    return this.#declared.teams.get(id) ?? this.#kept.teams.get(id)
  }

  get hasCallers(): boolean {
    if (this.#isStale) this.#index()
    return this.#hasCallers
  }

  get hasAdminKey(): boolean {
    return this.#declared.keys
      .values()
      .some(({ name, kind }) => kind === 'management' && name === adminKeyName)
  }

  isOfFile(kind: 'key' | 'team', id: string): boolean {
    return this.#declared[`${kind}s`].has(id)
  }

  changeKey({ by, action, id, after }: Change<Key>): void {
    if (this.#declared.keys.has(id)) throw managedByFile('key')
    const before = this.#kept.keys.get(id) ?? null
    this.#note(by, { action, subject: { kind: 'key', id }, before, after })
    this.#keep('keys', id, after)
    this.#changed()
  }

  changeTeam({ by, action, id, after }: Change<Team>): void {
    if (this.#declared.teams.has(id)) throw managedByFile('team')
    const before = this.#kept.teams.get(id) ?? null
    this.#note(by, { action, subject: { kind: 'team', id }, before, after })
    this.#keep('teams', id, after)
    if (after === null) {
      for (const key of this.#kept.keys.values()) {
        if (key.team === id) this.changeKey({ by, action: 'key.delete', id: key.id, after: null })
      }
    }
    this.#changed()
  }

  disableDeclared({ by, action, id, isDisabled }: Parameters<Registry['disableDeclared']>[0]): void {
    if (this.#disabled.has(id) === isDisabled) return
    const before = { isDisabled: !isDisabled }
    this.#note(by, { action, subject: { kind: 'file_key', id }, before, after: { isDisabled } })
    this.#disable(id, isDisabled)
    this.#changed()
  }

  noteUse(id: string, epochMs: number): void {
    this.#lastUse.set(id, epochMs)
  }

  lastUse(id: string): number | undefined {
    return this.#lastUse.get(id)
  }

  hear(entry: AdminEntry): boolean {
    if (!kinds.has(entry.subject.kind) || !this.#stamps.take(entry)) return false
    this.#take(entry)
    return true
  }

  readonly projection: Projection = {
    name: 'keys',
    restore: (snapshot) => this.#restore(snapshot),
    apply: (entry) => this.#apply(entry),
    snapshot: () => this.#snapshot(),
  }

  #note(by: Actor, entry: Noted): void {
    this.#stamps.take(by.note(entry, (now) => this.#stamps.next(entry.subject, now)))
  }

  #asItIs(declared: Key): Key {
    return this.#disabled.has(declared.id) ? { ...declared, isDisabled: true } : declared
  }

  #refuseTwice({ id, name, secrets }: Key): void {
    for (const kept of this.#kept.keys.values()) {
      const isSecret = kept.secrets.some(({ digest }) => secrets.some((own) => own.digest === digest))
      if (kept.id === id || isSecret || (name !== '' && kept.name === name)) {
        throw twice(name === '' ? 'A key' : `The key ${JSON.stringify(name)}`)
      }
    }
  }

  #keep(kind: 'keys', id: string, value: Key | null): void
  #keep(kind: 'teams', id: string, value: Team | null): void
  #keep(kind: 'keys' | 'teams', id: string, value: Key | Team | null): void {
    const kept: Map<string, Key | Team> = this.#kept[kind]
    if (value === null) kept.delete(id)
    else kept.set(id, value)
  }

  #disable(id: string, isDisabled: boolean): void {
    if (isDisabled) this.#disabled.add(id)
    else this.#disabled.delete(id)
  }

  #changed(): void {
    this.version++
    this.#isStale = true
    this.hadStoredKeys ||= this.#kept.keys.values().some(({ isMade }) => isMade !== true)
    this.hadKeys ||= this.hadStoredKeys || this.#declared.keys.size > 0
  }

  #index(): void {
    this.#isStale = false
    this.#byDigest.clear()
    this.#hasCallers = false
    for (const key of this.keys()) {
      this.#hasCallers ||= key.kind === 'inference'
      for (const { digest, untilMs } of key.secrets) this.#byDigest.set(digest, { key, untilMs })
    }
  }

  #apply(entry: StateEntry): void {
    if (entry.type !== 'admin' || !kinds.has(entry.subject.kind)) return
    // What was written was in effect, whatever the stamps say.
    this.#stamps.take(entry)
    this.#take(entry)
  }

  #take({ subject, after }: AdminEntry): void {
    if (subject.kind === 'key') this.#keep('keys', subject.id, after as Key | null)
    else if (subject.kind === 'team') this.#keep('teams', subject.id, after as Team | null)
    else this.#disable(subject.id, isObject(after) && after['isDisabled'] === true)
    this.#changed()
  }

  #restore(snapshot: unknown): void {
    if (!isObject(snapshot)) return
    const { keys, teams, disabled, lastUse, hadKeys, stamps } = snapshot as Partial<Snapshot>
    this.#stamps.restore(stamps ?? [])
    for (const key of keys ?? []) this.#keep('keys', key.id, key)
    for (const team of teams ?? []) this.#keep('teams', team.id, team)
    for (const id of disabled ?? []) this.#disabled.add(id)
    for (const [id, at] of lastUse ?? []) this.#lastUse.set(id, at)
    this.hadStoredKeys ||= hadKeys === true
    this.#changed()
  }

  #snapshot(): Snapshot {
    return {
      keys: [...this.#kept.keys.values()],
      teams: [...this.#kept.teams.values()],
      disabled: [...this.#disabled],
      lastUse: [...this.#lastUse],
      hadKeys: this.hadStoredKeys,
      stamps: this.#stamps.snapshot(),
    }
  }
}

type Snapshot = {
  readonly keys: readonly Key[]
  readonly teams: readonly Team[]
  readonly disabled: readonly string[]
  readonly lastUse: readonly (readonly [id: string, epochMs: number])[]
  readonly hadKeys: boolean
  readonly stamps: StampsSnapshot
}

/** What a change is about. */
const kinds: ReadonlySet<string> = new Set(['key', 'team', 'file_key'])

/** The key in the environment. */
export const adminKeyName = 'ADMIN_KEY'

function managedByFile(what: string): Failure {
  return new Failure('conflict', `This ${what} is declared in the configuration file: change it there.`, {
    code: 'managed_by_file',
  })
}

function twice(what: string): Failure {
  return new Failure('conflict', `${what} is in the configuration file, and was also created by the API.`, {
    code: 'declared_twice',
  })
}
