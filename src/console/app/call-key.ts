import { signal } from '@preact/signals'
import { ask } from './api.ts'

/** The key that this page makes calls with. It is not stored: it is lost with the page. */
export const callKey = signal('')

/** Creates a key for an hour, and uses it. Rejects with a Refusal. */
export async function makeCallKey(): Promise<void> {
  const until = new Date(Date.now() + hourMs)
  const body = {
    name: `playground ${until.toISOString()}`,
    expires_at: until.toISOString(),
    tags: ['playground'],
  }
  const { key } = await ask<{ key: string }>('/admin/api/keys', { method: 'POST', body })
  callKey.value = key
}

/** For a request that is a call. */
export function callHeaders(): Record<string, string> {
  const headers = { 'content-type': 'application/json' }
  return callKey.value === '' ? headers : { ...headers, authorization: `Bearer ${callKey.value}` }
}

const hourMs = 3_600_000
