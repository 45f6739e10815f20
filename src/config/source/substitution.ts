/** The variables a text is filled in from. A variable that is empty counts as not set. */
export type Environment = Readonly<Record<string, string | undefined>>

export type Substituted =
  | { readonly text: string }
  /** Why it cannot be filled in, without the text itself: it may hold a secret. */
  | { readonly told: string }

/**
 * Fills in `${NAME}` and `${NAME:-default}` from the environment; `$$` is a plain dollar. Values are taken as
 * they are: a `${` inside one is not looked at again.
 */
export function substitute(text: string, environment: Environment): Substituted {
  let told: string | undefined
  const filled = text.replace(reference, (match, name?: string, fallback?: string) => {
    if (match === '$$') return '$'
    if (name === undefined) {
      told ??= `found a \${ without the name of a variable, expected \${NAME} or \${NAME:-default}; a plain dollar is $$`
      return match
    }
    const set = Object.hasOwn(environment, name) ? environment[name] : undefined
    const value = set || fallback
    if (value === undefined) told ??= unset(name)
    return value ?? match
  })
  return told === undefined ? { text: filled } : { told }
}

// The last alternative is what remains of a reference that is not one.
const reference = /\$\$|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}|\$\{/g

function unset(name: string): string {
  return `found \${${name}}, expected the environment variable ${name} to be set, or a default: \${${name}:-…}`
}
