import { computed, signal } from '@preact/signals'
import { ask, onSignedOut, Refusal } from './api.ts'

/** Who is signed in, as far as that is known. */
export type Session = {
  readonly signed_in: boolean
  /** No key is required on this machine: everything can be seen, and nothing changed. */
  readonly open?: boolean
  readonly role?: 'read' | 'admin'
  readonly name?: string | null
  readonly version?: string
  /** Nothing is configured, so the simulator answers. */
  readonly demo?: boolean
  readonly calls_need_key?: boolean
  /** A model that is served. Null: none is known by name. */
  readonly example_model?: string | null
}

/** Undefined: the request is on its way. */
export const session = signal<Session | undefined>(undefined)

/** Buttons that change something are only for admins. */
export const mayChange = computed(() => session.value?.role === 'admin')

export async function loadSession(): Promise<void> {
  try {
    session.value = await ask<Session>(path)
  } catch (thrown) {
    if (!(thrown instanceof Refusal)) throw thrown
    setTimeout(() => void loadSession(), retryMs)
  }
}

/** Rejects with a Refusal. */
export async function signIn(key: string): Promise<void> {
  session.value = await ask<Session>(path, { method: 'POST', body: { key } })
}

export async function signOut(): Promise<void> {
  session.value = await ask<Session>(path, { method: 'DELETE' })
}

onSignedOut(() => {
  if (session.value?.signed_in) session.value = { signed_in: false }
})

const path = '/admin/api/session'
const retryMs = 3000
