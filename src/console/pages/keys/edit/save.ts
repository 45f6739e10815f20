import { ask, Refusal } from '../../../app/api.ts'
import type { KeyView, TeamView } from '../wire.ts'
import { changesOf, clashesOf, mergedOf, type ValueName, type Values, valuesOf } from './values.ts'

/** A key or a team as it was when its form was filled. */
export type Subject = {
  readonly path: string
  readonly values: Values
  /** When it was changed last. */
  readonly stamp: string
}

export type Saved =
  | { readonly kind: 'saved' }
  /** Somebody else changed the same: nothing was saved, and saving again overwrites it. */
  | {
      readonly kind: 'clash'
      readonly subject: Subject
      readonly values: Values
      readonly clashes: readonly ValueName[]
    }

export function subjectOf(path: string, view: KeyView | TeamView): Subject {
  return { path, values: valuesOf(view), stamp: view.updated_at ?? view.created_at }
}

/** Saves what was changed, and nothing else. What somebody else changed meanwhile stays. Rejects with a Refusal. */
export async function save(subject: Subject, values: Values): Promise<Saved> {
  const { path, values: before, stamp } = subject
  const body = changesOf(before, values)
  if (Object.keys(body).length === 0) return { kind: 'saved' }
  try {
    await ask(`${path}?unchanged_since=${encodeURIComponent(stamp)}`, { method: 'PATCH', body })
    return { kind: 'saved' }
  } catch (thrown) {
    if (!(thrown instanceof Refusal) || thrown.code !== 'changed_meanwhile') throw thrown
  }
  const now = subjectOf(path, (await ask<{ data: KeyView | TeamView }>(path)).data)
  const clashes = clashesOf(before, values, now.values)
  const merged = mergedOf(before, values, now.values)
  return clashes.length === 0 ? save(now, merged) : { kind: 'clash', subject: now, values: merged, clashes }
}
