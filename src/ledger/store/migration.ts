/**
 * A step of a schema. Steps go forward only, and an older version must be able to work on: columns are added with a
 * default, and nothing is renamed or dropped before no version uses it.
 */
export type Migration = { readonly name: string; readonly text: string }

/** Those that are missing, in order. */
export function missing(all: readonly Migration[], done: ReadonlySet<string>): readonly Migration[] {
  return all.filter(({ name }) => !done.has(name))
}
