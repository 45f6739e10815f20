/**
 * A step of a schema. Steps go forward only, and an older version must keep working: columns are added with a default,
 * and nothing is renamed or dropped while any version uses it.
 */
export type Migration = { readonly name: string; readonly text: string }

/** The missing steps, in order. */
export function missing(all: readonly Migration[], done: ReadonlySet<string>): readonly Migration[] {
  return all.filter(({ name }) => !done.has(name))
}
